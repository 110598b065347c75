"""The worker's loop over a real store: retries, poison, stale leases, and the mails that leave."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from intake.adapters.pipe import arrivals
from intake.domain.errors import Misconfigured, TryLater
from intake.domain.model import OutcomeCode
from intake.pipeline import process, process_kept
from intake.ports import Delivery, Job, NewMail, OutgoingMail, QueueFilter, StaleJob
from intake.receive import keep, keep_in_hand
from intake.wiring import Parts, build
from tests.faults.test_killed_reader import notice
from tests.support.certificates import certificates
from tests.support.running import Site
from tests.support.smtp_sink import sink
from tests.support.stores import SetClock
from workers.deliver import send_due
from workers.jobs import drain, run_worker
from workers.maintain import sweep, tidy


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def parts(tmp_path: Path, clock: SetClock) -> Iterator[Parts]:
    made = build(Site(tmp_path).settings, clock)
    yield made
    made.documents.close()


def kept(parts: Parts, folder: Path, *numbers: int) -> tuple[Delivery, ...]:
    for number in numbers:
        (folder / f"{number}.eml").write_bytes(notice(number))
    paths = [str(folder / f"{n}.eml") for n in numbers]
    return keep(parts, list(arrivals(paths, "default", parts.clock)))


def outcome(parts: Parts, delivery: Delivery) -> OutcomeCode | None:
    return parts.store.delivery(delivery.id).outcome


def test_everything_that_is_due_is_worked_until_nothing_is_left(parts: Parts, tmp_path: Path) -> None:
    deliveries = kept(parts, tmp_path, *range(10))

    assert drain(parts) == 10
    assert {outcome(parts, d) for d in deliveries} == {OutcomeCode.CASE_OPENED}
    assert drain(parts) == 0


def test_a_message_that_breaks_the_program_ends_with_a_person_and_stops_nobody(
    parts: Parts, clock: SetClock, tmp_path: Path
) -> None:
    bad, good = kept(parts, tmp_path, 1, 2)
    tried = []

    def breaks_on_the_first(parts: Parts, job: Job) -> None:
        if job.subject == bad.id:
            tried.append(job.attempt)
            raise RecursionError
        process(parts, job.subject, job)

    for _ in range(6):
        drain(parts, tasks={"process": breaks_on_the_first})
        clock.forward(minutes=5)

    assert tried == [1, 2, 3]
    assert outcome(parts, good) == OutcomeCode.CASE_OPENED
    assert outcome(parts, bad) == OutcomeCode.NEEDS_PERSON
    (case,) = [r for r in parts.store.queue(QueueFilter()) if r.status == "needs_person"]
    assert any("RecursionError" in reason for reason in case.reasons)
    assert parts.store.outcomes()["missing"] == 0


def test_whoever_is_on_duty_hears_of_a_message_that_breaks_the_program_each_time(
    clock: SetClock, tmp_path: Path
) -> None:
    parts = build(Site(tmp_path, duty_addresses="duty@ministry.example").settings, clock)
    kept(parts, tmp_path, 1)

    def breaks(parts: Parts, job: Job) -> None:
        raise RecursionError

    for _ in range(4):
        drain(parts, tasks={"process": breaks})
        clock.forward(minutes=5)

    (case,) = parts.store.queue(QueueFilter())
    (told,) = [m for m in parts.store.mails(10) if m.template == "page"]
    assert told.to == "duty@ministry.example"
    assert told.subject == f"Not opened: {case.reference}"
    assert "nobody knows yet what" in told.body


def test_work_that_fills_hours_is_broken_off_to_give_back_what_a_killed_worker_held(
    parts: Parts, clock: SetClock, tmp_path: Path
) -> None:
    kept(parts, tmp_path, 1, 2)

    assert drain(parts, until=time.monotonic()) == 0
    assert drain(parts, until=time.monotonic() + 60) == 2


def test_keys_that_cannot_be_used_stop_the_start_and_use_up_no_messages_tries(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    locked = BestAvailableEncryption(b"secret")
    certificates(tmp_path)
    shut = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked)
    (tmp_path / "mail.pem").write_bytes((tmp_path / "server.pem").read_bytes() + shut)
    parts = build(Site(tmp_path, smime_files=tmp_path / "mail.pem").settings)
    (delivery,) = kept(parts, tmp_path, 1)

    with pytest.raises(Misconfigured, match="mail.pem"):
        run_worker(parts, threading.Event())

    assert outcome(parts, delivery) is None
    assert [job.attempt for job in parts.store.claim(("process",), 1, 60, "next")] == [1]


def test_a_worker_needs_none_of_the_files_of_a_door_for_mail(tmp_path: Path) -> None:
    door = {
        "kind": "smtp",
        "listen": "127.0.0.1:8724",
        "recipients": ["breach@ministry.example"],
        "tls_certificate_file": "/only/where/the/door/is.pem",
        "tls_key_file": "/only/where/the/door/is.key",
    }
    parts = build(Site(tmp_path, {"breach": door}).settings)
    (tmp_path / "1.eml").write_bytes(notice(1))
    (delivery,) = keep(parts, list(arrivals([str(tmp_path / "1.eml")], "breach", parts.clock)))

    drain(parts)

    assert outcome(parts, delivery) == OutcomeCode.CASE_OPENED


def test_a_worker_holds_only_the_message_that_it_works_on(parts: Parts, tmp_path: Path) -> None:
    kept(parts, tmp_path, *range(5))
    held = []

    def look(parts: Parts, job: Job) -> None:
        held.append(parts.store.job_counts().get("leased", 0))
        parts.store.finish(job)

    assert drain(parts, tasks={"process": look}) == 5
    assert held == [1] * 5  # the others are free for another worker, and lose no try when this one dies


def test_a_message_that_kills_its_worker_each_time_ends_with_a_person(
    parts: Parts, clock: SetClock, tmp_path: Path
) -> None:
    (deadly,) = kept(parts, tmp_path, 1)
    for _ in range(3):  # a worker takes it and is never heard of again
        assert len(parts.store.claim(("process",), 4, 60, "gone")) == 1
        clock.forward(seconds=61)
        sweep(parts)

    drain(parts)

    assert outcome(parts, deadly) == OutcomeCode.NEEDS_PERSON


def test_what_is_away_for_a_while_is_tried_again_after_a_wait(parts: Parts, clock: SetClock, tmp_path: Path) -> None:
    (delivery,) = kept(parts, tmp_path, 1)
    tried = []

    def away_at_first(parts: Parts, job: Job) -> None:
        tried.append(job.attempt)
        if job.attempt == 1:
            raise TryLater("The files are away.", after=30)
        process(parts, job.subject, job)

    drain(parts, tasks={"process": away_at_first})
    clock.forward(seconds=29)
    drain(parts, tasks={"process": away_at_first})
    assert tried == [1]
    clock.forward(seconds=2)
    drain(parts, tasks={"process": away_at_first})

    assert tried == [1, 2]
    assert outcome(parts, delivery) == OutcomeCode.CASE_OPENED


def test_a_command_says_what_became_of_a_message_that_a_worker_filed_meanwhile(parts: Parts, tmp_path: Path) -> None:
    (delivery,) = kept(parts, tmp_path, 1)
    drain(parts)

    done = process_kept(parts, delivery, notice(1))

    assert done.outcome == OutcomeCode.CASE_OPENED
    assert done.cases == tuple(row.reference for row in parts.store.queue(QueueFilter()))


def test_a_message_that_came_by_another_way_is_read_as_it_was_kept_first(parts: Parts, tmp_path: Path) -> None:
    first = notice(1)
    second = b"Received: from mx.example by mail.example; Mon, 23 Nov 2026 09:00:00 +1300\r\n" + first
    (tmp_path / "1.eml").write_bytes(first)
    (tmp_path / "2.eml").write_bytes(second)

    ways = keep_in_hand(
        parts, list(arrivals([str(tmp_path / "1.eml"), str(tmp_path / "2.eml")], "default", parts.clock))
    )

    assert [raw for _, raw in ways] == [first, None]
    assert parts.blobs.get(ways[1][0].raw.blob) == first


def test_a_worker_that_wakes_after_its_lease_files_nothing(parts: Parts, clock: SetClock, tmp_path: Path) -> None:
    (delivery,) = kept(parts, tmp_path, 1)
    (slept,) = parts.store.claim(("process",), 1, 60, "asleep")
    clock.forward(seconds=61)
    sweep(parts)
    (again,) = parts.store.claim(("process",), 1, 60, "awake")

    with pytest.raises(StaleJob):
        process(parts, delivery.id, slept)
    process(parts, delivery.id, again)

    assert len(parts.store.queue(QueueFilter())) == 1


def test_a_draft_whose_days_are_over_is_dropped_and_a_younger_one_stays(parts: Parts, clock: SetClock) -> None:
    for code, days in (("old", 1), ("young", 7)):
        parts.store.save_draft(code, "breach-notice@2026.1", b"sealed", clock() + timedelta(days=days))
    asked = clock()
    clock.forward(days=2)

    tidy(parts)

    assert parts.store.draft("old", asked) is None
    assert parts.store.draft("young", asked) == ("breach-notice@2026.1", b"sealed")


# ---- the outbox --------------------------------------------------------------------------------------------------------


class Script:
    """A sender that answers as told; what it was given is in `given`."""

    def __init__(self, *answers: Exception | None) -> None:
        self.answers = list(answers)
        self.given: list[OutgoingMail] = []

    def send(self, mail: OutgoingMail) -> None:
        self.given.append(mail)
        answer = self.answers.pop(0) if self.answers else None
        if answer:
            raise answer


def queued(parts: Parts, count: int = 1) -> None:
    for number in range(count):
        mail = NewMail(f"test:{number}", f"person{number}@provider.example", "Hello", "Kia ora\n", "sign_in")
        parts.store.queue_mail(None, mail, "system")


def states(parts: Parts) -> list[str]:
    return sorted(m.state for m in parts.store.mails())


def test_a_queued_mail_leaves_once(parts: Parts) -> None:
    queued(parts)
    with sink() as server:
        from intake.adapters.smtp import SmtpSender

        sender = SmtpSender(f"smtp://127.0.0.1:{server.port}", "intake@ministry.example", parts.clock)
        assert send_due(parts, sender) == 1
        assert send_due(parts, sender) == 0

    assert len(server.taken) == 1
    assert states(parts) == ["sent"]


def test_a_final_no_is_seen_by_staff_and_not_tried_again(parts: Parts, clock: SetClock) -> None:
    queued(parts)
    with sink() as server:
        from intake.adapters.smtp import SmtpSender

        server.recipients.append("550 nobody here")
        sender = SmtpSender(f"smtp://127.0.0.1:{server.port}", "intake@ministry.example", parts.clock)
        send_due(parts, sender)
        clock.forward(hours=3)
        assert send_due(parts, sender) == 0

    (mail,) = parts.store.mails()
    assert mail.state == "failed"
    assert "550" in mail.error


def test_a_server_that_is_away_is_asked_once_for_a_batch_and_the_mails_leave_later(
    parts: Parts, clock: SetClock
) -> None:
    queued(parts, 5)
    sender = Script(TryLater("No TLS.", after=300))

    send_due(parts, sender)
    assert len(sender.given) == 1
    assert states(parts) == ["queued"] * 5

    clock.forward(minutes=2)
    assert sum(iter(lambda: send_due(parts, sender), 0)) == 5
    assert states(parts) == ["sent"] * 5


def test_a_sender_killed_before_its_mark_sends_once_more_under_the_same_id(parts: Parts, clock: SetClock) -> None:
    queued(parts)
    (sent,) = parts.store.claim_mails(5, 300)  # handed over, and then the program was killed
    clock.forward(seconds=301)
    sweep(parts)
    sender = Script()

    send_due(parts, sender)

    assert [m.message_id for m in sender.given] == [sent.message_id]
    assert states(parts) == ["sent"]


def test_one_mail_that_breaks_the_program_does_not_stop_the_next(parts: Parts) -> None:
    queued(parts, 2)

    send_due(parts, Script(ValueError("boom")))

    assert states(parts) == ["queued", "sent"]
