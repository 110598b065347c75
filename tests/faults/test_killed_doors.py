"""SIGKILL between every two steps of the channels that hand us mail: the door, the pipe, the import, a folder. Whoever hands it over behaves as
mail servers do: they try again until they hear yes, and then forget.
"""

from __future__ import annotations

import os
import random
import signal
import smtplib
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from intake.adapters import children
from intake.adapters.maildrop import drop
from intake.wiring import Parts
from tests.faults.killing import FAILING, FILING, KEEPING
from tests.faults.test_killed_reader import cases, notice
from tests.support.mail_door import RECIPIENT, SENDER, options
from tests.support.running import COMMAND, Site, until
from workers.jobs import drain

KILLING = [sys.executable, "-m", "tests.faults.killing"]


def one_case_each(parts: Parts, mails: int) -> None:
    """Every mail has come to its end, in exactly one case."""
    drain(parts)
    parts.documents.close()
    counted = parts.store.outcomes()
    assert (counted["messages"], counted["waiting"], counted["missing"]) == (mails, 0, 0)
    senders = Counter(cases(parts))
    assert len(senders) == mails and set(senders.values()) == {1}


# ---- the door -------------------------------------------------------------------------------------


class Queue:
    """The queue of a mail server: it sends each mail until it hears 250, and then has it no longer."""

    def __init__(self, port: int, numbers: range) -> None:
        self.port, self.waiting = port, list(numbers)
        self.cut = 0  # times that the door went away in the middle of a mail

    def try_once(self, number: int) -> bool:
        try:
            with smtplib.SMTP("127.0.0.1", self.port, timeout=10) as client:
                client.sendmail(SENDER, [RECIPIENT], notice(number))
                self.waiting.remove(number)
        except (OSError, smtplib.SMTPException):
            self.cut += 1
            time.sleep(0.02)
            return False
        return True

    def try_some(self, count: int) -> None:
        """So many mails, or until the door goes away."""
        all(self.try_once(number) for number in self.waiting[:count])

    def run(self) -> None:
        while self.waiting:
            self.try_some(len(self.waiting))


def open_again(site: Site, port: int) -> subprocess.Popen[bytes]:
    process = site.start("collect")
    until(lambda: answers(port), 20, "an open door")
    return process


def answers(port: int) -> bool:
    try:
        smtplib.SMTP("127.0.0.1", port, timeout=2).close()
    except (OSError, smtplib.SMTPException):
        return False
    return True


@pytest.mark.parametrize("point", KEEPING)
def test_a_door_killed_at_a_step_loses_no_mail_and_opens_one_case(tmp_path: Path, point: str) -> None:
    box = options(tmp_path)
    site, port = Site(tmp_path, {"breach": box}), int(box["listen"].rpartition(":")[2])
    parts = site.parts()
    assert parts.store.outcomes()["messages"] == 0
    queue = Queue(port, range(3))
    try:
        killed = children.start([*KILLING, point, "collect"], tmp_path / "killed.log", site.environ)
        site.processes.append(killed)
        until(lambda: answers(port), 20, "an open door")
        queue.try_some(3)
        assert killed.wait(10) == -signal.SIGKILL
        assert len(queue.waiting) == 3  # nobody heard yes
        assert parts.store.outcomes()["messages"] == (1 if point == "after_the_commit" else 0)

        open_again(site, port)
        queue.run()
    finally:
        site.stop()

    assert parts.store.outcomes()["deliveries"] == (4 if point == "after_the_commit" else 3)
    one_case_each(parts, 3)


def test_a_door_killed_right_after_its_yes_has_the_mail(tmp_path: Path) -> None:
    box = options(tmp_path)
    site, port = Site(tmp_path, {"breach": box}), int(box["listen"].rpartition(":")[2])
    parts = site.parts()
    assert parts.store.outcomes()["messages"] == 0
    try:
        for number in range(3):
            door = open_again(site, port)
            with smtplib.SMTP("127.0.0.1", port) as client:
                client.sendmail(SENDER, [RECIPIENT], notice(number))
                os.kill(door.pid, signal.SIGKILL)
                door.wait()
                client.close()
    finally:
        site.stop()

    one_case_each(parts, 3)


def test_240_mails_of_six_servers_and_a_door_killed_twelve_times_give_240_cases(tmp_path: Path) -> None:
    chance, box = random.Random(23), options(tmp_path)
    site, port = Site(tmp_path, {"breach": box}), int(box["listen"].rpartition(":")[2])
    parts = site.parts()
    assert parts.store.outcomes()["messages"] == 0
    queues = [Queue(port, range(n * 40, n * 40 + 40)) for n in range(6)]
    try:
        for round_ in range(12):
            door = open_again(site, port)
            servers = [threading.Thread(target=queue.try_some, args=(3 + round_ % 2,)) for queue in queues]
            for server in servers:
                server.start()
            time.sleep(0.005 + chance.random() * 0.06)
            os.kill(door.pid, signal.SIGKILL)
            door.wait()
            for server in servers:
                server.join()
        open_again(site, port)
        for queue in queues:
            queue.run()
    finally:
        site.stop()

    assert sum(queue.cut for queue in queues) >= 12, "hardly a kill fell into a mail: the test did not bite"
    one_case_each(parts, 240)
    logs = site.log("collect")
    assert "kept id=" in logs
    assert not [word for word in ("provider.", "Person", "laptop", "Notice", RECIPIENT) if word in logs]


# ---- the pipe -------------------------------------------------------------------------------------


@pytest.mark.parametrize("point", FILING)
def test_a_pipe_killed_at_a_step_is_tried_again_and_opens_one_case(tmp_path: Path, point: str) -> None:
    site = Site(tmp_path)

    def pipe(command: list[str]) -> int:
        given = [*command, "receive", "-"]
        return subprocess.run(
            given, env=site.environ, input=notice(1), capture_output=True, timeout=60, check=False
        ).returncode

    assert pipe([*KILLING, point]) == -signal.SIGKILL
    assert pipe(COMMAND) == 0

    one_case_each(site.parts(), 1)


def test_a_pipe_killed_at_random_instants_never_said_yes_to_what_it_has_not(tmp_path: Path) -> None:
    chance, site = random.Random(5), Site(tmp_path)
    assert site.say("reconcile")[0]["messages"] == 0
    parts, kept_and_killed = site.parts(), 0
    for number in range(12):
        killed = subprocess.Popen(
            [*COMMAND, "receive", "-"], env=site.environ, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        assert killed.stdin is not None
        killed.stdin.write(notice(number))
        killed.stdin.close()
        if number % 2:
            until(lambda seen=number: parts.store.outcomes()["messages"] != seen, 30, "kept")
        else:
            time.sleep(0.3 * chance.random())
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        kept_and_killed += parts.store.outcomes()["messages"] == number + 1 and killed.returncode != 0
        again = subprocess.run(
            [*COMMAND, "receive", "-"], env=site.environ, input=notice(number), capture_output=True, check=True
        )
        assert again.returncode == 0

    assert kept_and_killed, "no kill fell between the commit and the answer: the test did not bite"
    one_case_each(parts, 12)


@pytest.mark.parametrize("settings", [{"attempts": "many"}, {"database_url": "mysql://x"}, {"dns_file": "/nowhere"}])
def test_a_pipe_says_75_for_settings_that_are_wrong_too(tmp_path: Path, settings: dict[str, str]) -> None:
    site = Site(tmp_path, **settings)

    ended = subprocess.run(
        [*COMMAND, "receive", "-"], env=site.environ, input=notice(1), capture_output=True, check=False
    )

    assert ended.returncode == 75
    assert b"Traceback" not in ended.stderr


def test_a_pipe_that_kept_a_mail_says_yes_though_the_work_on_it_fails(tmp_path: Path) -> None:
    site = Site(tmp_path)
    given = [*KILLING, FAILING, "receive", "-"]

    ended = subprocess.run(given, env=site.environ, input=notice(1), capture_output=True, check=False)

    assert ended.returncode == 0
    assert b"kept, and worked on later" in ended.stderr
    one_case_each(site.parts(), 1)


# ---- the import -----------------------------------------------------------------------------------


@pytest.mark.parametrize("point", FILING)
def test_an_import_killed_at_a_step_and_started_again_gives_each_mail_one_case(tmp_path: Path, point: str) -> None:
    site, folder = Site(tmp_path), tmp_path / "mails"
    folder.mkdir()
    for number in range(30):
        (folder / f"{number:02}.eml").write_bytes(notice(number))

    given = [*KILLING, point, "receive", str(folder)]
    ended = subprocess.run(given, env=site.environ, capture_output=True, timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL
    site.say("receive", str(folder))

    parts = site.parts()
    assert parts.store.outcomes()["deliveries"] == 30
    one_case_each(parts, 30)


# ---- the folder on disk ---------------------------------------------------------------------------


@pytest.mark.parametrize("point", KEEPING)
def test_a_reader_of_a_folder_killed_at_a_step_loses_no_mail_and_opens_one_case_each(
    tmp_path: Path, point: str
) -> None:
    folder = tmp_path / "drop"
    site = Site(tmp_path, {"breach": {"kind": "maildrop", "folder": str(folder)}})
    for number in range(5):
        drop(folder, notice(number))

    ended = subprocess.run([*KILLING, point, "collect"], env=site.environ, capture_output=True, timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert len(list((folder / "new").glob("*.eml"))) == 5
    site.start("collect")
    try:
        until(lambda: len(list((folder / "done").iterdir())) == 5, 20, "every mail in done")
    finally:
        site.stop()

    one_case_each(site.parts(), 5)
