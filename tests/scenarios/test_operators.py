"""What an operator is told by `doctor`, the system page and a mail: what cannot leave, who was not told, which setting cannot work."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from intake.adapters.documents.runner import DocumentReader
from intake.adapters.maildrop import MaildropMailbox, drop
from intake.domain.errors import Refused, TryLater
from intake.domain.health import Health
from intake.ports import OutgoingMail
from intake.watch import watch
from intake.wiring import Parts
from tests.faults.test_killed_reader import notice
from tests.scenarios.test_duty import GRAVE
from tests.scenarios.world import NOW, World, notice_file
from tests.support.running import Site
from workers.deliver import send_due

DUTY, OPERATOR = "duty@ministry.example", "ops@ministry.example"


class Away:
    """A mail server that cannot take a mail now, or refuses it."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def send(self, mail: OutgoingMail) -> None:
        raise self.error


@pytest.fixture
def world(tmp_path: Path, reader: DocumentReader) -> Iterator[World]:
    lines = f'duty_addresses = "{DUTY}"\noperator_addresses = "{OPERATOR}"\nsmtp_url = "smtp://127.0.0.1:9"\n'
    made = World(tmp_path, reader, plain_settings=lines)
    yield made
    made.close()


def of(parts: Parts, name: str) -> Health:
    return next(each for each in parts.health() if each.name == name)


def sent(world: World, server: Away) -> int:
    """How many mails were tried until none was due."""
    return sum(iter(lambda: send_due(world.parts, server), 0))


def test_mail_that_cannot_leave_is_said_with_why_and_that_a_call_to_the_officer_is_among_it(world: World) -> None:
    world.send(files=[notice_file(**GRAVE)])
    assert sent(world, Away(TryLater("The SMTP server cannot be reached."))) == 2  # to the provider, and to the officer
    assert of(world.parts, "sending").state == "ok"  # it may be over in a moment

    world.later(minutes=6)

    said = of(world.parts, "sending")
    assert said.state == "bad"
    assert "cannot leave since 6 min. The SMTP server cannot be reached." in said.text
    assert "1 call to whoever is on duty" in said.text


def test_a_call_to_the_officer_that_is_refused_is_told_to_the_operators_with_its_case(world: World) -> None:
    done = world.send(files=[notice_file(**GRAVE)])
    assert sent(world, Away(Refused("550 No such address."))) == 2

    watch(world.parts)
    watch(world.parts)

    said = of(world.parts, "sending")
    assert said.state == "bad" and f"Nobody on duty was told of {done.cases[0]}" in said.text
    (told,) = [m for m in world.parts.store.mails(50) if m.template == "alarm"]
    assert told.to == OPERATOR and done.cases[0] in told.body


def test_what_stands_around_the_process_that_reads_is_said(world: World) -> None:
    said = of(world.parts, "readers")

    assert said.state in ("ok", "warn") and "limits on time and memory" in said.text
    for name, words in (("calls", "(seccomp)"), ("landlock", "(landlock)")):
        assert words in said.text
        not_here = said.text.partition("Not offered")[2] + said.text.partition("Missing")[2]
        assert (name in world.parts.fences) == (words not in not_here)


def test_a_mailbox_in_trouble_takes_no_form_away(world: World) -> None:
    world.parts.store.set_mailbox_state("breach", error="The server is away.", last_contact=NOW)

    ready = world.app.test_client().get("/readyz")

    assert ready.status_code == 200 and "mailbox breach" in (ready.json or {})["broken"]


def test_an_option_that_cannot_work_is_said_by_doctor_and_stops_up(tmp_path: Path) -> None:
    drops = {"kind": "maildrop", "folder": str(tmp_path / "drop")}
    door = {"kind": "smtp", "listen": "127.0.0.1:8724", "recipents": ["breach@ministry.example"]}
    site = Site(tmp_path, {"good": drops, "breach": door})

    assert "there is no option “recipents”" in of(site.parts(), "mailbox breach").text
    assert of(site.parts(), "mailbox good").text == "Not reached yet."
    ended = site.ends("up")
    assert ended.returncode == 78 and "recipents" in ended.stderr


@pytest.mark.parametrize(
    ("domain", "why"),
    [
        ("gmail.com", "no provider controls it"),
        ("co.nz", "belongs to nobody alone"),
        ("ministry.example", "the Ministry’s own"),
    ],
)
def test_a_file_registers_nothing_that_the_page_refuses(tmp_path: Path, domain: str, why: str) -> None:
    site = Site(tmp_path, own_domains="ministry.example")
    header = "slug,name,services,relationship_manager,domains,contacts,exceptions,phone"
    (tmp_path / "p.csv").write_text(f"{header}\nkowhai,Kōwhai,,,kowhai.org.nz;{domain},,,\n", encoding="utf-8")

    ended = site.ends("provider", "import", str(tmp_path / "p.csv"))

    assert ended.returncode == 65 and why in ended.stderr and "kowhai" in ended.stderr
    assert site.parts().store.providers() == ()


def test_files_in_a_drop_folder_that_are_not_taken_are_said_after_a_while(tmp_path: Path) -> None:
    drop(tmp_path, notice(1))
    (tmp_path / "new" / "1700000000.M1P2.host").write_bytes(notice(2))
    box = MaildropMailbox("drop", tmp_path)
    assert len(list(box.changes())) == 1  # it may be on its way to its name

    os.utime(tmp_path / "new" / "1700000000.M1P2.host", (1_700_000_000, 1_700_000_000))

    found = []
    with pytest.raises(Refused, match="1 of the files of mailbox drop"):
        for arrival in box.changes():
            found.append(arrival)
    assert len(found) == 1


def test_a_pipe_has_a_table_and_a_name_without_one_is_kept_and_said(tmp_path: Path) -> None:
    trust = {"kind": "gateway", "ids": ["mx.ministry.example"], "border": ["mx.ministry.example"]}
    site = Site(tmp_path, {"breach": {"kind": "pipe"}, "breach.trust": trust})
    (tmp_path / "1.eml").write_bytes(notice(1))
    assert of(site.parts(), "mailbox breach").state == "ok"

    slip = site.ends("receive", "--mailbox", "braech", str(tmp_path / "1.eml"))
    right = site.ends("receive", "--mailbox", "breach", str(tmp_path / "1.eml"))

    assert slip.returncode == right.returncode == 0
    assert "name no mailbox “braech”" in slip.stderr and right.stderr == ""
    assert of(site.parts(), "mailbox braech").state == "warn"
    assert site.parts().trust("breach").ids == ("mx.ministry.example",)


def test_an_import_says_what_it_passes_over_and_what_came_before(tmp_path: Path) -> None:
    site = Site(tmp_path)
    folder = tmp_path / "old"
    folder.mkdir()
    for name in ("1.eml", "2.msg", "read me.txt"):
        (folder / name).write_bytes(notice(1))

    first, again = site.ends("receive", str(folder)), site.ends("receive", str(folder))

    assert "2 files were passed over" in first.stderr
    assert first.stdout.startswith("case_opened") and again.stdout.startswith("known  case_opened")
