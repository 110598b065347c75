"""House rules that a machine can keep: light start, honest exit codes, settings in the open, words in order, silent logs."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from forms import load
from forms.pdf.stamp import stamp
from intake.adapters.demo.answers import assessment, notice
from intake.config import SETTINGS
from tests.scenarios.typed import typed
from tests.scenarios.world import BREACH, KOWHAI, NOW, PDF, File, World, form_file
from tests.support.random_answers import random_answers

ROOT = Path(__file__).parents[1]
HEAVY = ("exchangelib", "pdfplumber", "rq", "sqlalchemy", "flask", "pikepdf", "pypdfium2", "cryptography")


def command(folder: Path, *arguments: str, given: bytes = b"", **settings: str) -> subprocess.CompletedProcess[bytes]:
    """`provider-intake` as a process of its own, with a data folder of its own."""
    env = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT), "INTAKE_DATA_DIR": str(folder / "var")}
    run = [sys.executable, "-c", "import sys; from intake.cli import main; sys.exit(main())", *arguments]
    return subprocess.run(run, env=env | settings, input=given, capture_output=True, timeout=60, check=False, cwd=ROOT)


# ---- a light start -------------------------------------------------------------------------------


def test_help_imports_nothing_heavy() -> None:
    asked = f"""
import sys
from intake.cli import main
try:
    main(["--help"])
except SystemExit as end:
    assert end.code == 0
loaded = sorted({{name.partition(".")[0] for name in sys.modules}} & set({HEAVY!r}))
print("LOADED", loaded)
"""
    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert said.rstrip().endswith("LOADED []")
    assert "receive" in said
    assert "reconcile" in said


# ---- exit codes (docs: the contract) -------------------------------------------------------------


def test_a_wrong_setting_stops_with_78_and_a_sentence_that_says_how_to_mend_it(tmp_path: Path) -> None:
    for settings, words in (
        ({"INTAKE_ATTEMPTS": "many"}, "write a whole number"),
        ({"INTAKE_MODE": "production"}, "INTAKE_SECRET_KEY_FILE"),
        ({"INTAKE_CONFIG": str(tmp_path / "nowhere.toml")}, "cannot be read"),
        ({"INTAKE_SMTP_URL": "ftp://mail.example"}, "must begin with smtp"),
        ({"INTAKE_DEMO": "perhaps"}, "write true or false"),
        ({"INTAKE_LISTEN": "8700"}, "write host:port"),
        ({"INTAKE_LISTEN": "127.0.0.1:99999"}, "write host:port"),
        ({"INTAKE_BASE_URL": "intake.example"}, "must begin with http:// or https://"),
        ({"INTAKE_REDIS_URL": "http://cache.example"}, "must begin with redis://"),
        ({"INTAKE_BLOB_URL": "s3://bucket"}, "must begin with file://"),
    ):
        ended = command(tmp_path, "queue", "--json", **settings)
        assert ended.returncode == 78, settings
        assert words in ended.stderr.decode()
        assert "Traceback" not in ended.stderr.decode()
        assert ended.stdout == b""


def test_a_setting_that_there_is_not_is_named(tmp_path: Path) -> None:
    (tmp_path / "intake.toml").write_text('colour = "blue"\n')
    ended = command(tmp_path, "queue", INTAKE_CONFIG=str(tmp_path / "intake.toml"))
    assert ended.returncode == 78
    assert "colour" in ended.stderr.decode()


def test_a_wrong_trust_table_stops_the_start_and_names_its_mailbox(tmp_path: Path) -> None:
    settings = tmp_path / "intake.toml"
    for line in ('kind = "foe"', 'kindd = "own"', 'kind = "own"'):
        settings.write_text(
            f'[mailboxes.breach]\nkind = "maildrop"\nfolder = "drop"\n[mailboxes.breach.trust]\n{line}\n'
        )
        ended = command(tmp_path, "collect", INTAKE_CONFIG=str(settings))
        assert ended.returncode == 78, line
        assert "[mailboxes.breach.trust]: " in ended.stderr.decode()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("form", "pdf", "nothing@1"), "there is no such form"),
        (("form", "pdf"), "Say which form"),
        (("form", "pdf", "breach-notice", "-o", "no/such/folder/form.pdf"), "cannot be written"),
        (("provider", "show"), "Say which provider"),
    ],
)
def test_a_slip_on_the_command_line_ends_with_65_and_one_sentence(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    ended = command(tmp_path, *arguments)
    assert ended.returncode == 65
    said = ended.stderr.decode()
    assert said.startswith("provider-intake: ")
    assert said.count("\n") == 1
    assert words in said


def test_the_pdf_of_an_edition_that_was_not_issued_is_refused_with_the_command_that_makes_it(tmp_path: Path) -> None:
    for folder in ("forms", "intake"):
        left = shutil.ignore_patterns("__pycache__", "static", "fonts", "2026.1.pdf")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=left)
    run = [sys.executable, "-c", "import sys; from intake.cli import main; sys.exit(main())"]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path)}
    ended = subprocess.run(
        [*run, "form", "pdf", "breach-notice"], env=env, capture_output=True, check=False, cwd=tmp_path
    )
    assert ended.returncode == 65
    assert b"run python -m forms.pdf.publish breach-notice@2026.1" in ended.stderr
    assert b"Traceback" not in ended.stderr


def test_answers_in_the_wrong_place_are_not_judged_as_if_nothing_were_known(tmp_path: Path) -> None:
    ended = command(tmp_path, "decide", "-", given=b'{"id": "x", "A07": "yes"}')
    assert ended.returncode == 65
    assert "has no “answers”" in ended.stderr.decode()
    assert ended.stdout == b""


def test_kept_messages_without_their_key_get_no_new_key(tmp_path: Path) -> None:
    mail = b"From: a@b.example\r\nSubject: Question\r\n\r\nWhere is the form?\r\n"
    assert command(tmp_path, "receive", "-", given=mail).returncode == 0
    assert command(tmp_path, "backup", str(tmp_path / "copy")).returncode == 0
    elsewhere = {"INTAKE_DATA_DIR": str(tmp_path / "new")}
    restored = command(tmp_path, "restore", str(tmp_path / "copy"), **elsewhere)
    assert restored.returncode == 0
    assert str(tmp_path / "new" / "secret.key") in restored.stdout.decode()
    refused = command(tmp_path, "receive", "-", given=mail + b"again", **elsewhere)
    assert refused.returncode != 0
    assert "is missing" in refused.stderr.decode()
    assert not (tmp_path / "new" / "secret.key").exists()


def test_a_backup_works_before_the_first_message_and_refuses_a_folder_without_a_database(tmp_path: Path) -> None:
    refused = command(tmp_path, "backup", str(tmp_path / "none"))
    assert refused.returncode == 65
    assert "There is no database at" in refused.stderr.decode()
    assert not (tmp_path / "none").exists() and not (tmp_path / "var" / "intake.db").exists()
    assert command(tmp_path, "migrate").returncode == 0
    assert command(tmp_path, "backup", str(tmp_path / "copy")).returncode == 0
    assert command(tmp_path, "restore", str(tmp_path / "copy"), INTAKE_DATA_DIR=str(tmp_path / "new")).returncode == 0


def test_an_empty_queue_says_which_folder_it_looked_at(tmp_path: Path) -> None:
    ended = command(tmp_path, "queue")
    assert ended.returncode == 0
    assert str(tmp_path / "var") in ended.stderr.decode()


@pytest.mark.parametrize("arguments", [(), ("fly",), ("receive",), ("staff", "add", "a@b.example", "--role", "king")])
def test_wrong_usage_ends_with_64(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert command(tmp_path, *arguments).returncode == 64


def test_the_pipe_says_75_while_nothing_can_be_kept_and_0_once_it_is(tmp_path: Path) -> None:
    mail = b"From: a@b.example\r\nSubject: Question\r\n\r\nWhere is the form?\r\n"
    (tmp_path / "var").write_text("a file stands where the data folder should be")
    refused = command(tmp_path, "receive", "-", given=mail)
    assert refused.returncode == 75
    assert "Traceback" not in refused.stderr.decode()
    (tmp_path / "var").unlink()
    kept = command(tmp_path, "receive", "-", "--json", given=mail)
    assert kept.returncode == 0, kept.stderr.decode()
    line = json.loads(kept.stdout)
    assert line["outcome"] in ("held", "case_opened")
    assert {"path", "message", "sha256", "case", "cases", "kind", "provider", "sender", "documents"} <= set(line)
    assert {"severity", "due", "reasons", "marks"} <= set(line)


@pytest.mark.parametrize(
    "content", [b"", b"\x00\x01 junk", b"%PDF-1.7 oh", b"PK\x03\x04rubbish", b"MZ" + bytes(100)],
    ids=["empty", "junk", "broken pdf", "broken zip", "program"],
)  # fmt: skip
def test_a_document_that_cannot_be_read_ends_with_65_and_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file.pdf"
    path.write_bytes(content)
    ended = command(tmp_path, "read", str(path), "--json")
    assert ended.returncode == 65
    said = ended.stderr.decode()
    assert said.startswith("provider-intake: ")
    assert said.count("\n") == 1
    assert ended.stdout == b""


def test_read_prints_each_answer_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "file.pdf"
    path.write_bytes(stamp(load.form(BREACH), notice(KOWHAI, NOW, "A folder was left on a bus.")))
    ended = command(tmp_path, "read", str(path), "--json")
    assert ended.returncode == 0
    shown = json.loads(ended.stdout)
    assert set(shown) == {"form", "edition", "how", "answers", "problems"}
    assert set(shown["answers"]["A06"]) == {"value", "how", "page", "box", "confidence"}
    assert not (tmp_path / "var").exists()


# ---- the contract's JSON -------------------------------------------------------------------------


def test_decide_reads_a_list_and_prints_one_line_each_with_the_names_of_the_contract(tmp_path: Path) -> None:
    aware = "2026-11-20T16:50:00+13:00"
    asked = [
        {
            "id": "a",
            "kind": "breach_notice",
            "answers": {"A10": "fear", "A11": "where_when", "A07": "yes"},
            "received_at": aware,
        },
        {"id": "b", "kind": "breach_notice", "answers": {}, "band": "S4", "received_at": aware, "aware_at": aware},
        {"id": "c", "kind": "self_assessment", "answers": assessment(KOWHAI), "received_at": aware},
    ]
    ended = command(tmp_path, "decide", "-", "--json", given=json.dumps(asked).encode())
    assert ended.returncode == 0, ended.stderr.decode()
    first, second, third = (json.loads(line) for line in ended.stdout.splitlines())
    for line in (first, second, third):
        assert {"id", "band", "reasons", "changes", "notifiable", "flags", "due"} <= set(line)
    assert (first["id"], first["band"], first["notifiable"]) == ("a", "S1", "likely")
    assert all(set(r) == {"code", "text"} for r in first["reasons"])
    assert all(set(c) == {"question", "answer", "band"} for c in second["changes"])
    assert set(first["due"]) == {"first_contact", "decision", "marker_72h"}
    assert (second["band"], second["due"]["marker_72h"]) == ("S4", "2026-11-23T03:50:00Z")
    assert third["id"] == "c"
    assert not (tmp_path / "var").exists()
    again = command(tmp_path, "decide", "-", "--json", given=json.dumps(asked).encode())
    assert again.stdout == ended.stdout


@pytest.mark.parametrize("given", [b"not json", b"[1, 2]", b'[{"band": "S9"}]', b'[{"received_at": "yesterday"}]'])
def test_decide_on_what_is_no_list_of_cases_ends_with_65(tmp_path: Path, given: bytes) -> None:
    ended = command(tmp_path, "decide", "-", given=given)
    assert ended.returncode == 65
    assert "Traceback" not in ended.stderr.decode()


def test_reconcile_adds_up(tmp_path: Path) -> None:
    box = tmp_path / "mails"
    box.mkdir()
    for n in range(4):
        (box / f"{n}.eml").write_bytes(
            f"From: a{n}@b.example\r\nSubject: Question {n}\r\n\r\nWhere is it?\r\n".encode()
        )
    (box / "4.eml").write_bytes((box / "0.eml").read_bytes() + b"")
    (box / "5.eml").write_bytes(b"From: x@b.example\r\nAuto-Submitted: auto-replied\r\nSubject: Away\r\n\r\nAway.\r\n")
    kept = command(tmp_path, "receive", str(box), "--keep-only")
    assert kept.returncode == 0, kept.stderr.decode()
    waiting = json.loads(command(tmp_path, "reconcile", "--json").stdout)
    assert (waiting["messages"], waiting["deliveries"], waiting["waiting"], waiting["missing"]) == (5, 6, 6, 0)
    assert command(tmp_path, "receive", str(box)).returncode == 0
    counted = json.loads(command(tmp_path, "reconcile", "--json").stdout)
    assert set(counted) == {"messages", "deliveries", "waiting", "missing", "outcomes"}
    assert (counted["messages"], counted["waiting"], counted["missing"]) == (5, 0, 0)
    assert sum(counted["outcomes"].values()) == counted["deliveries"]
    assert set(counted["outcomes"]) == {"case_opened", "case_updated", "held", "duplicate", "automatic", "needs_person"}


# ---- words ---------------------------------------------------------------------------------------


def test_every_setting_stands_in_the_docs_with_its_default_and_unit() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    rows = {m[1]: m[0] for m in re.finditer(r"^\| `(\w+)` \|.*$", page, re.MULTILINE)}
    assert set(rows) == {s.name for s in SETTINGS}
    for setting in SETTINGS:
        assert f"`{setting.variable}`" in rows[setting.name]
        default = str(setting.default).lower() if isinstance(setting.default, bool) else str(setting.default)
        assert default in rows[setting.name], setting.name


BANNED = re.compile(r"\b(tickets?|users?|helpers?|managers?|utils?|info)\b", re.IGNORECASE)
OUR_OWN = {
    "manager",  # a role of staff, and the relationship manager of a provider
    "managers",
}


def words_shown(template: str) -> str:
    """What a template says to people: without its code, its comments, and what stands inside of tags."""
    text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", " ", template, flags=re.DOTALL)
    return re.sub(r"<[^>]*>", " ", text)


def test_the_banned_words_of_the_glossary_stand_on_no_page_and_in_no_mail() -> None:
    templates = sorted(p for p in (ROOT / "templates").rglob("*") if p.suffix in (".html", ".txt"))
    assert len(templates) > 30
    found = {
        (path.name, word.lower())
        for path in templates
        for word in BANNED.findall(words_shown(path.read_text(encoding="utf-8")))
        if word.lower() not in OUR_OWN
    }
    assert found == set()


def test_no_mail_and_no_page_shouts() -> None:
    templates = sorted(p for p in (ROOT / "templates").rglob("*") if p.suffix in (".html", ".txt"))
    shouting = [p.name for p in templates if re.search(r"\w!(\s|$)", words_shown(p.read_text(encoding="utf-8")))]
    assert shouting == []


# ---- silent logs ---------------------------------------------------------------------------------

CANARIES = ("Waimarie", "Tangaroa", "Kererūcrescent", "zqmailbox", "zqsubject", "zqfilename", "zqphone", "zqweb")


def all_that_was_logged(caplog: pytest.LogCaptureFixture) -> str:
    lines = []
    for record in caplog.records:
        lines.append(f"{record.getMessage()} {record.exc_text or ''} {record.__dict__}")
        if record.exc_info and record.exc_info[1]:
            lines.append(repr(record.exc_info[1]))
    return "\n".join(lines)


def test_no_log_line_and_no_public_page_holds_what_somebody_wrote(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG, "intake")
    world = World(tmp_path)
    name, secret = "Waimarie Tangaroa", "14 Kererūcrescent, zqphone 021"
    told = notice(
        "zqweb Trust", NOW, f"{name} lives at {secret}", A02=name, A04="zqphone", A05="zqmailbox@trust.org.nz"
    )
    files = [form_file(BREACH, told, "zqfilename.pdf"), File("zqfilename.exe", PDF, b"MZ" + name.encode())]
    sender = "Waimarie Tangaroa <zqmailbox@trust.org.nz>"
    for mail in (
        world.mail(sender=sender, subject=f"zqsubject {name}", body=secret, files=files),
        world.mail(sender="zqmailbox@trust.org.nz, Tangaroa <b@trust.org.nz>", subject="zqsubject", body=secret),
        world.mail(
            sender=sender, subject="zqsubject", body=secret, files=[File("zqfilename.pdf", PDF, b"%PDF-1.7 Tangaroa")]
        ),
        world.mail(sender=sender, subject="zqsubject", body=secret, headers=[("Auto-Submitted", "auto-replied")]),
    ):
        world.drop(mail)
    try:
        world.collect()
        visitor = world.visitor().open("/breach").press("Check", typed(load.form(BREACH), told))
        visitor.press("Send it")
        lost = world.visitor().open("/breach/details/Tangaroa")
        assert lost.status in (200, 404)
        world.deliver()
        ready = world.app.test_client().get("/readyz").text
        receipt = visitor.words
        public = world.visitor().open("/").words + ready + receipt
    finally:
        world.close()
    assert len(world.queue()) >= 4
    written = capfd.readouterr()
    for canary in CANARIES:
        for where in (all_that_was_logged(caplog), written.out, written.err, public):
            assert canary not in where, canary
    assert "collected mailbox=breach" in all_that_was_logged(caplog)


def test_nothing_that_a_command_prints_to_people_who_watch_it_names_a_person(tmp_path: Path) -> None:
    mail = tmp_path / "m.eml"
    mail.write_text("From: Waimarie Tangaroa <zqmailbox@gmail.com>\nSubject: zqsubject\n\nWaimarie Tangaroa\n")
    ended = command(tmp_path, "receive", str(mail))
    assert ended.returncode == 0
    for canary in CANARIES:
        assert canary not in (ended.stdout + ended.stderr).decode()


def test_random_answers_of_the_tests_are_the_same_on_every_machine() -> None:
    """The 200 sets of `test_same_answers` are named by their seeds; this keeps the seeds honest."""
    import random

    form = load.form(BREACH)
    assert random_answers(form, random.Random("x 1")) == random_answers(form, random.Random("x 1"))
    assert random_answers(form, random.Random("x 1")) != random_answers(form, random.Random("x 2"))


@pytest.mark.parametrize(("ci", "code"), [("", 0), ("true", 1)])
def test_a_skip_is_a_failure_on_ci_and_nowhere_else(tmp_path: Path, ci: str, code: int) -> None:
    (tmp_path / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text())
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = slow: long\n")
    (tmp_path / "test_it.py").write_text(
        "import pytest\n\n\ndef test_needs_a_server() -> None:\n    pytest.skip('no server')\n\n\n"
        "@pytest.mark.slow\ndef test_long() -> None:\n    raise AssertionError\n\n\ndef test_plain() -> None:\n    pass\n"
    )
    env = {"PATH": os.environ.get("PATH", ""), "CI": ci}
    run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    ended = subprocess.run(run, env=env, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=60)
    assert ended.returncode == code, ended.stdout
    assert "1 long run left out" in ended.stdout
    assert ("no server" in ended.stdout) is bool(ci)


def test_every_promise_names_tests_that_there_are() -> None:
    page = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
    files = {m for m in re.findall(r"`(tests/[\w/]+\.py)`", page)}
    assert files
    assert [f for f in sorted(files) if not (ROOT / f).is_file()] == []
    defined = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "tests").rglob("*.py"))
    named = set(re.findall(r"`(test_\w+…?)`", page))
    assert [n for n in sorted(named) if f"def {n.rstrip('…')}" not in defined] == []


WANTED = (*range(1, 14), 16, 17, 18, *range(20, 24), *range(25, 29), *range(31, 40))


def test_every_scenario_that_is_promised_is_a_test_with_its_id() -> None:
    tests = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "tests" / "scenarios").glob("test_*.py"))
    assert [f"T{n:02}" for n in WANTED if f"def test_T{n:02}_" not in tests] == []
