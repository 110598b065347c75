"""How often mails without a readable form are taken for what they are, and what one costs.

Run: python -m benchmarks.kinds FOLDER
The folder holds *.eml and labels.json (`provider-intake learn export` writes one) of mails that nothing was learnt from; for the
project's own there is `python -m benchmarks.learn_kinds --folds`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from intake import config
from intake.domain import kind
from intake.domain.envelope import open_envelope
from intake.examine import examine
from intake.wiring import NoLookups, Parts
from tests.decide.labelled_mails import AT, in_folder, score


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("folder", type=Path)
    folder = asked.parse_args().folder
    mails = in_folder(folder)
    with tempfile.TemporaryDirectory() as home:
        parts = Parts(config.load({"INTAKE_DATA_DIR": home}), lambda: AT)
        parts.__dict__["lookups"] = NoLookups()
        found = score(mails, lambda raw: examine(parts, raw, "explain", "default", AT))
        parts.documents.close()
    opened = [open_envelope(mail.raw) for mail in mails]
    kind.of_mail("", "", ())  # reads the files
    begun = time.process_time()
    for mail in opened:
        kind.of_mail(mail.subject, mail.body, ())
    each = (time.process_time() - begun) / len(mails)
    for name in ("missed", "false", "unseen", "alarms", "automatic_wrong"):
        print(f"{name}: {', '.join(getattr(found, name)) or 'none'}")
    print(
        json.dumps(
            {"mails": len(mails)} | {k: round(v, 3) for k, v in found.rates().items()} | {"ms": round(each * 1000, 2)}
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
