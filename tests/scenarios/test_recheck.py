"""The register changes, and what was held because of it opens: on the bytes as kept, once, and never over the head of a person."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from intake import receive, triage
from intake.adapters.demo.mails import write
from intake.adapters.demo.signing import key_file, signer
from intake.adapters.demo.signing import zone as zone_of
from intake.adapters.dns import DnsNetwork
from intake.adapters.documents.runner import DocumentReader
from intake.cli import main
from intake.domain.model import Arrival, OutcomeCode, ReadDocument, Status
from intake.pipeline import Done, process
from intake.ports import Registration, Unpacked
from intake.recheck import recheck_case
from intake.registry_file import read_registry
from tests.scenarios.world import (
    BREACH,
    LEAD,
    NOW,
    OFFICE,
    REGISTER,
    TRIAGE,
    World,
    assessment_file,
    fails,
    notice,
    notice_file,
)
from workers import jobs

NEW = "Facilitator <me@facilitation.co.nz>"
OURS = "kowhai,Kōwhai Example Trust,family_violence,R. Example,trust.org.nz"
WITH_DOMAIN = REGISTER.replace(OURS, OURS + ";facilitation.co.nz")


def register(world: World, text: str = WITH_DOMAIN) -> None:
    """As `provider import` does, and then the worker, once around."""
    world.register(text)
    jobs.drain(world.parts)


def test_registering_a_domain_opens_what_was_held_and_answers_its_sender_once(world: World) -> None:
    done = world.send(sender=NEW, files=[assessment_file()])
    assert done.outcome is OutcomeCode.HELD
    told_before = [m.template for m in world.mails_of(done)]
    received = world.row(done).received_at
    world.later(hours=30)

    register(world)
    register(world, WITH_DOMAIN.replace("S. Example", "T. Example"))  # changes nothing that a check asks for

    case = world.case(done)
    assert (case.row.status, case.row.provider, case.sender.verdict) == ("open", "kowhai", "verified_domain")
    assert case.row.received_at == received and case.due.read_by is not None
    assert "SENDER_UNVERIFIED" not in world.codes(done) and "UNKNOWN_PROVIDER" not in world.codes(done)
    assert world.history(done).count("sender_rechecked") == 1
    assert told_before == ["acknowledgement_neutral"]
    assert [m.template for m in world.mails_of(done)] == ["acknowledgement_full", "acknowledgement_neutral"]
    (event,) = (e for e in case.events if e.action == "sender_rechecked")
    assert event.detail["verdict"] == ["unknown_domain", "verified_domain"]
    assert "unknown domain before, verified domain now" in world.page(done.cases[0])


def test_a_breach_notice_stays_open_and_only_what_is_said_of_its_sender_changes(world: World) -> None:
    done = world.send(sender=NEW, files=[notice_file()])
    before = world.case(done)
    world.later(hours=1)

    register(world)

    case = world.case(done)
    assert (case.row.status, case.row.band, case.due) == (before.row.status, before.row.band, before.due)
    assert (before.sender.verdict, case.sender.verdict) == ("unknown_domain", "verified_domain")
    assert (before.row.provider, case.row.provider) == (None, "kowhai")


def test_a_mail_that_failed_its_check_is_not_opened_by_registering_its_domain(world: World) -> None:
    done = world.send(sender=NEW, files=[assessment_file()], gateway=fails("facilitation.co.nz"))

    register(world)

    case = world.case(done)
    assert (case.sender.verdict, case.row.status, case.row.provider) == ("auth_failed", "held", None)


def test_what_was_signed_stays_signed_when_the_key_is_gone_since(world: World) -> None:
    pem, zone = key_file(world.folder), world.folder / "zone.json"
    record = next(iter(zone_of(pem).values()))
    zone.write_text(json.dumps({"demo._domainkey.facilitation.co.nz": record}))
    unsigned = write(sender=NEW, subject="Form", body="Attached.", at=NOW, identity="s1", files=[assessment_file()])
    signed = signer(pem)(unsigned, "facilitation.co.nz")
    done = world.arrives(signed)
    assert world.case(done).sender.verdict == "unknown_domain"
    zone.write_text("{}")
    world.parts.__dict__.pop("_dns")

    register(world)

    assert world.case(done).sender.verdict == "verified_domain"


def test_a_provider_that_a_person_chose_is_not_chosen_again(world: World) -> None:
    done = world.send(sender=NEW, files=[assessment_file()])
    row = world.row(done)
    triage.choose_provider(world.parts, TRIAGE, row, row.version, "kauri")

    register(world)

    case = world.case(done)
    assert (case.row.provider, case.sender.provider) == ("kauri", "kowhai")


def test_a_case_that_a_person_let_through_keeps_its_state(world: World) -> None:
    done = world.send(sender=NEW, files=[assessment_file()])
    row = world.row(done)
    triage.let_through(world.parts, LEAD, row, row.version, "I called them.")
    row = world.row(done)
    triage.change_status(world.parts, LEAD, row, row.version, Status.WAITING_OTHER)

    register(world)

    assert world.row(done).status == "waiting_other"
    assert world.case(done).sender.verdict == "verified_domain"


def test_a_sender_who_may_be_relied_on_less_is_for_a_person_and_is_not_held_again(world: World) -> None:
    done = world.send(files=[assessment_file()])
    assert world.row(done).status == "open"

    register(world, REGISTER.replace("trust.org.nz", "other.org.nz"))

    case = world.case(done)
    assert (case.row.status, case.row.provider) == ("open", "kowhai")
    assert case.sender.verdict not in ("verified_account", "verified_domain")
    assert {"SENDER_CHANGED", "CHECK_FIRST"} <= set(case.row.marks)
    register(world, REGISTER)
    assert not {"SENDER_CHANGED"} & set(world.row(done).marks)


def test_a_closed_case_and_a_form_by_web_are_left_alone(world: World) -> None:
    done = world.send(sender=NEW, files=[notice_file()])
    view = world.case(done)
    triage.choose_provider(world.parts, LEAD, view.row, view.row.version, "kowhai")
    view = world.case(done)
    triage.close(world.parts, LEAD, view, view.row.version, "withdrawn", "They took it back.")
    if world.case(done).row.status != "closed":
        triage.second(world.parts, TRIAGE, world.case(done), world.case(done).row.version, True)
    by_web = world.submit(BREACH, notice("Facilitation", NOW, "A folder was lost."))
    before = [world.view(r).row.version for r in (*done.cases, by_web.reference)]

    register(world)

    assert world.case(done).row.status == "closed"
    assert [world.view(r).row.version for r in (*done.cases, by_web.reference)] == before


def test_checking_again_without_a_change_of_the_register_writes_nothing(world: World) -> None:
    done = world.send(sender=NEW, files=[assessment_file()])
    version = world.row(done).version

    assert recheck_case(world.parts, done.cases[0]) is None
    assert recheck_case(world.parts, "SA-NONE-X") is None

    assert world.row(done).version == version


def test_the_same_register_once_more_makes_no_work(world: World) -> None:
    world.send(sender=NEW, files=[assessment_file()])
    jobs.drain(world.parts)

    world.register(REGISTER)

    assert world.parts.store.job_counts("recheck")["due"] == 0


@pytest.mark.parametrize("times", [5])
def test_a_register_that_changes_more_often_than_a_job_is_tried_is_followed_each_time(world: World, times: int) -> None:
    done = world.send(sender=NEW, files=[assessment_file()])
    for n in range(times):
        register(world, WITH_DOMAIN if n % 2 == 0 else REGISTER)

    assert world.case(done).sender.verdict == "verified_domain"


def test_the_command_says_what_changed(world: World, tmp_path: Path) -> None:
    done = world.send(sender=NEW, files=[assessment_file()])
    world.register(WITH_DOMAIN)
    assert world.parts.store.backlog() == done.cases

    first = recheck_case(world.parts, done.cases[0])

    assert first is not None
    assert (first.before, first.after, first.opened) == ("unknown_domain", "verified_domain", True)
    assert first.provider == "kowhai"


# ---- only what a change may concern --------------------------------------------------------------


def waiting(world: World) -> int:
    return world.parts.store.job_counts("recheck")["due"]


def test_a_domain_makes_work_for_doubtful_senders_and_its_own_and_leaves_the_others_alone(world: World) -> None:
    world.send(files=[assessment_file()])  # verified, of another domain
    world.send(
        sender=f"Office <office@{'tōtara.org.nz'.encode('idna').decode()}>", files=[assessment_file("Tōtara Whānau")]
    )
    world.send(sender=NEW, files=[assessment_file()])
    jobs.drain(world.parts)

    again = world.parts.store.save_providers(read_registry(REGISTER.replace("tōtara.org.nz,Off", "totara2.org.nz,Off")))

    assert again == waiting(world) == 2  # the doubtful one, and the one whose domain went away
    jobs.drain(world.parts)
    assert waiting(world) == 0


def test_a_message_that_is_filed_while_the_register_changes_is_checked_again(world: World) -> None:
    (delivery,) = receive.keep(
        world.parts, [Arrival(world.mail(sender=NEW, files=[assessment_file()]), "maildrop", "breach", "r1", NOW)]
    )
    real = world.parts.documents

    class WhileReading:
        """The register changes in the middle of the message's way: after its sender was checked."""

        def read(self, attachments: Sequence[tuple[str, bytes]], spent: float = 0.0) -> tuple[ReadDocument, ...]:
            world.register(WITH_DOMAIN)
            return real.read(attachments, spent)

        def unpack(self, wrapper: str, name: str, content: bytes, spent: float = 0.0) -> Unpacked:
            raise AssertionError("this mail has none")

        def close(self) -> None:
            raise AssertionError("not this one's to close")

    world.parts.__dict__["documents"] = WhileReading()
    done = process(world.parts, delivery.id)
    world.parts.__dict__["documents"] = real
    assert done.outcome is OutcomeCode.HELD

    jobs.drain(world.parts)

    assert (world.row(done).status, world.case(done).sender.verdict) == ("open", "verified_domain")


# ---- DNS was silent ------------------------------------------------------------------------------


@contextmanager
def silent_dns(world: World) -> Iterator[None]:
    """Name servers that take every question and answer none."""

    class Hasty(DnsNetwork):
        SECONDS = 0.05

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        world.parts.__dict__["_dns"] = Hasty(["127.0.0.1"], port=deaf.getsockname()[1])
        yield
    world.parts.__dict__.pop("_dns")


def signed_while_dns_is_silent(world: World) -> Done:
    pem, zone = key_file(world.folder), world.folder / "zone.json"
    record = next(iter(zone_of(pem).values()))
    zone.write_text(json.dumps({"demo._domainkey.trust.org.nz": record}))
    unsigned = write(sender=OFFICE, subject="Form", body="Attached.", at=NOW, identity="s2", files=[assessment_file()])
    with silent_dns(world):
        return world.arrives(signer(pem)(unsigned, "trust.org.nz"))


def test_what_dns_gave_no_answer_for_is_looked_at_again_by_itself(world: World) -> None:
    done = signed_while_dns_is_silent(world)
    assert (done.outcome, world.case(done).sender.verdict) == (OutcomeCode.HELD, "unauthenticated")
    jobs.drain(world.parts)
    assert world.history(done).count("sender_rechecked") == 0
    assert world.parts.store.job_counts("recheck")["later"] == 1

    world.later(minutes=16)
    jobs.drain(world.parts)

    case = world.case(done)
    assert (case.row.status, case.sender.verdict) == ("open", "verified_account")
    assert "DNS has answered now" in world.page(done.cases[0])
    assert world.parts.store.job_counts("recheck") == {"due": 0, "later": 0, "leased": 0, "person": 0}


# After so many a message is a person's; what comes after its case is no message.
@pytest.mark.parametrize("attempts", [1, 3])
def test_a_domain_that_stays_dark_is_asked_three_times_in_a_day_and_then_left_to_a_person(
    tmp_path: Path, reader: DocumentReader, attempts: int
) -> None:
    world = World(tmp_path, reader, plain_settings=f"attempts = {attempts}\n")
    done = signed_while_dns_is_silent(world)
    version, tries = world.row(done).version, []
    for _ in range(60):
        world.later(minutes=30)
        with silent_dns(world):
            tries.append(jobs.drain(world.parts))

    assert sum(tries) == 3
    assert tries[0] == 1 and sum(tries[:7]) == 2 and sum(tries[:41]) == 3
    assert (world.row(done).status, world.row(done).version) == ("held", version)
    assert world.parts.store.job_counts("recheck")["later"] == 0


def test_a_recheck_that_is_killed_before_its_end_goes_on_and_writes_once(world: World) -> None:
    done = world.send(sender=NEW, files=[assessment_file()])
    world.register(WITH_DOMAIN)
    (job,) = world.parts.store.claim(("recheck",), 1, 60, "one that dies")
    assert recheck_case(world.parts, done.cases[0]) is not None  # written, and the job's end was not
    world.later(minutes=5)
    world.parts.store.sweep()

    assert jobs.drain(world.parts) == 1

    assert world.history(done).count("sender_rechecked") == 1
    assert not world.parts.store.finish(job)
    assert len(world.mails_of(done)) == 2


def test_the_command_prints_what_changed_and_names_a_case_that_there_is_not(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done = world.send(sender=NEW, files=[assessment_file()])
    world.register(WITH_DOMAIN)
    monkeypatch.setenv("INTAKE_CONFIG", str(world.folder / "intake.toml"))
    monkeypatch.setenv("INTAKE_DATABASE_URL", world.parts.settings.database)
    monkeypatch.setenv("INTAKE_DATA_DIR", str(world.folder / "var"))

    assert main(["recheck", "SA-0000-0", "--json"]) == 65
    assert "provider-intake:" in capsys.readouterr().err
    assert main(["recheck", done.cases[0].lower(), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "case": done.cases[0],
        "before": "unknown_domain",
        "after": "verified_domain",
        "provider": "kowhai",
        "opened": True,
    }
    assert main(["recheck", "--json"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["audit", "verify", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["register_events"] == 2


def test_old_mail_that_was_imported_opens_without_an_answer(world: World) -> None:
    raw = world.mail(sender=NEW, files=[assessment_file()])
    (delivery,) = receive.keep(world.parts, [Arrival(raw, "import", "breach", "r9", NOW - timedelta(days=90))])
    done = process(world.parts, delivery.id)

    register(world)

    assert world.row(done).status == "open"
    assert world.mails_of(done) == ()


def test_a_file_of_the_register_leaves_what_people_registered_unless_it_is_told_not_to(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = world.parts.store
    store.register(Registration("domain", "kowhai", "facilitation.co.nz", "Mere spelled it.", "lead@min.example"))
    number = store.propose(
        Registration("exception", "kowhai", "kowhai@xtra.co.nz", "Moving.", "lead@min.example", until="2027-03-31")
    )
    store.decide(number, "manager@min.example", "registered", "")
    file = world.folder / "register.csv"
    file.write_text(REGISTER, encoding="utf-8")
    monkeypatch.setenv("INTAKE_CONFIG", str(world.folder / "intake.toml"))
    monkeypatch.setenv("INTAKE_DATABASE_URL", world.parts.settings.database)
    monkeypatch.setenv("INTAKE_DATA_DIR", str(world.folder / "var"))

    def kowhai() -> tuple[bool, bool]:
        one = store.provider("kowhai")
        assert one is not None
        return "facilitation.co.nz" in one.domains, "kowhai@xtra.co.nz" in [e.address for e in one.exceptions]

    assert main(["provider", "import", str(file)]) == 0
    assert "facilitation.co.nz was registered for kowhai by a person" in capsys.readouterr().out
    assert kowhai() == (True, True)
    assert main(["provider", "import", str(file), "--exact"]) == 0
    assert kowhai() == (False, False)
    assert main(["provider", "import", str(file)]) == 0  # what was taken away does not come back
    assert kowhai() == (False, False)
