"""How well and how fast pages that are pictures are read: `python -m benchmarks.read_scans [--pages 200] [--seed N]`.

Without `--seed` the set is one that nobody has seen. Marks are drawn by a program, which no hand is like; pages are spoiled as
scanners and phones do. Ends with 1 when the floors are not reached.
"""

from __future__ import annotations

import argparse
import random
import secrets
import sys
import time
from collections import Counter

from forms import load
from forms.pdf.blank import issued
from intake.adapters.documents import picture
from intake.adapters.documents.flatten import LAID
from intake.adapters.documents.layout import Found, is_button, read_marks
from intake.adapters.documents.limits import Limits
from intake.adapters.documents.register import aligned
from intake.domain.drafts import SURE
from tests.support.scans import Taken, many

FLOOR = 0.99


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None)
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else secrets.randbelow(10**6)
    picture.ready()
    counted: Counter[str] = Counter()
    spent = 0.0
    for one in many(load.forms(), random.Random(seed), given.pages):
        raw = one.jpeg()
        begun = time.process_time()
        picture.read_pictures(raw, "image/jpeg", Limits())
        spent += time.process_time() - begun
        _count(one, counted)
    return _told(seed, counted, spent)


def _count(one: Taken, counted: Counter[str]) -> None:
    counted["pages"] += 1
    code, page = picture.found_page(one.picture)
    boxes = [b for b in issued(one.form).boxes if b.page == one.page]
    if code is None or page is None or code.page != one.page or not aligned(page, LAID, boxes):
        counted["pages not found"] += 1
        print(
            f"not found: {one.form.kind} page {one.page}, {one.how}, code {code is not None}, laid {page is not None}"
        )
        return
    found = Found()
    buttons = [b for b in boxes if is_button(b, one.form)]
    read_marks(page, LAID, buttons, found, picture.SOLID, picture.paper(page, buttons))
    for name in one.fields:
        wanted, read, sure = one.marked.get(name), found.values.get(name), found.sure.get(name, 1.0)
        right = (read is None) if wanted is None else read in wanted
        counted["fields"] += 1
        counted["right"] += right
        counted["unsure"] += sure < SURE
        counted["wrong and sure"] += not right and sure >= SURE
        if not right:
            print(f"{name} of {one.form.kind} page {one.page}, {one.how}: {wanted} read as {read}, {sure}")


def _told(seed: int, counted: Counter[str], spent: float) -> int:
    pages, fields = counted["pages"], max(1, counted["fields"])
    found = 1 - counted["pages not found"] / pages
    right = counted["right"] / fields
    print(
        f"seed {seed}: {pages} pages, {found:.4f} found and laid flat; {fields} fields with boxes, {right:.4f} right, ",
        end="",
    )
    print(f"{counted['wrong and sure']} wrong and sure, {counted['unsure']} for a person")
    print(f"{1000 * spent / pages:.0f} ms CPU a page, two-page documents a second: {pages / spent / 2:.1f}")
    return 0 if found >= FLOOR and right >= FLOOR and not counted["wrong and sure"] else 1


if __name__ == "__main__":
    sys.exit(main())
