"""No file stops, fills or reaches anything: it ends in a sentence, and the next one is read as ever."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from forms import load
from forms.pdf.stamp import fill
from intake.adapters.documents.limits import Limits
from intake.adapters.documents.runner import DocumentReader
from tests.documents import bombs
from tests.documents.test_reading_forms import answers_of, read_one

NOTICE = load.form("breach-notice")
GOOD = fill(NOTICE, {"A01": "Te Whare", "A07": "no"})
TIGHT = Limits(cpu_seconds=1, wall_seconds=3.0, suggestion_cpu_seconds=1, suggestion_wall_seconds=3.0)


@pytest.fixture(scope="module")
def tight() -> Iterator[DocumentReader]:
    with DocumentReader(TIGHT) as made:
        yield made


@pytest.mark.parametrize(
    "bomb",
    [
        bombs.spaces,
        bombs.spaces_twice_packed,
        bombs.text_operations,
        bombs.rectangles,
        bombs.saved_states,
        bombs.huge_page,
        bombs.nested_drawings,
        bombs.page_references,
        bombs.fields_in_a_circle,
        bombs.many_fields,
    ],
    ids=lambda b: b.__name__,
)
def test_T25_a_small_file_that_costs_much_ends_within_the_limits(
    tight: DocumentReader, bomb: Callable[[], bytes]
) -> None:
    content = bomb()
    read_one(tight, GOOD)
    begun = time.monotonic()
    read = read_one(tight, content)
    assert time.monotonic() - begun < TIGHT.wall_seconds + 2
    assert read.problems and not read.answers
    assert answers_of(read_one(tight, GOOD)) == {"A01": "Te Whare", "A07": "no"}


@pytest.mark.parametrize("bomb", [bombs.rectangles, bombs.spaces_twice_packed], ids=lambda b: b.__name__)
def test_T25_suggestions_from_a_bomb_are_none_and_the_next_file_is_read(
    tight: DocumentReader, bomb: Callable[[], bytes]
) -> None:
    begun = time.monotonic()
    assert tight.suggestions(bomb(), NOTICE.name) == ()
    assert time.monotonic() - begun < TIGHT.suggestion_wall_seconds + 6
    assert read_one(tight, GOOD).form == "breach-notice"


def test_more_fields_than_we_read_are_cut_and_said(tight: DocumentReader) -> None:
    assert "too_many_fields" in [p.code for p in read_one(tight, bombs.many_fields(6000)).problems]


@pytest.fixture
def alone() -> Iterator[DocumentReader]:
    """A reader whose child is the only one."""
    with DocumentReader(Limits(wall_seconds=2.0)) as made:
        yield made


pytestmark_linux = pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at the child through /proc")


@pytestmark_linux
def test_a_warm_parent_that_was_killed_between_files_is_replaced_unseen(alone: DocumentReader) -> None:
    read_one(alone, GOOD)
    newest = max(_warm_parents())
    os.kill(newest, signal.SIGKILL)
    time.sleep(0.2)
    assert answers_of(read_one(alone, GOOD)) == {"A01": "Te Whare", "A07": "no"}
    assert newest not in _warm_parents()


@pytestmark_linux
def test_a_child_that_hangs_is_ended_by_the_clock_and_the_next_file_of_the_message_is_read(
    alone: DocumentReader,
) -> None:
    read_one(alone, GOOD)
    parent = max(_warm_parents())
    found: list[list[str]] = []
    begun = time.monotonic()
    reading = threading.Thread(
        target=lambda: found.extend(
            [p.code for p in read.problems]
            for read in alone.read([("slow.pdf", bombs.rectangles()), ("good.pdf", GOOD)])
        )
    )
    reading.start()
    os.kill(_only_child(parent), signal.SIGSTOP)
    reading.join(10)
    assert found == [["too_costly"], []]
    assert time.monotonic() - begun < 6


@pytestmark_linux
def test_each_message_has_a_child_of_its_own_that_is_gone_afterwards(alone: DocumentReader) -> None:
    read_one(alone, GOOD)
    parent = max(_warm_parents())
    seen = set()
    for _ in range(3):
        reading = threading.Thread(target=lambda: alone.read([("slow.pdf", bombs.rectangles())]))
        reading.start()
        seen.add(_only_child(parent))
        reading.join(10)
        assert _children_of(parent) == []
    assert len(seen) == 3


def _only_child(parent: int) -> int:
    """The child that a warm parent forks within five seconds."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        if found := _children_of(parent):
            return found[0]
        time.sleep(0.005)
    raise AssertionError("no child was forked")


def _children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _warm_parents() -> list[int]:
    found = []
    for task in Path(f"/proc/{os.getpid()}/task").iterdir():
        for child in (task / "children").read_text().split():
            command = Path(f"/proc/{child}/cmdline")
            if command.exists() and b"documents.warm" in command.read_bytes():
                found.append(int(child))
    return sorted(found)


@pytestmark_linux
def test_the_child_has_no_secrets_few_files_and_little_memory(alone: DocumentReader) -> None:
    os.environ["INTAKE_TEST_SECRET"] = "not for the child"
    try:
        read_one(alone, GOOD)
    finally:
        del os.environ["INTAKE_TEST_SECRET"]
    at = Path(f"/proc/{max(_warm_parents())}")
    assert (at / "environ").read_bytes().split(b"\0") == [b"OMP_THREAD_LIMIT=1", b"OPENBLAS_NUM_THREADS=1", b""]
    assert not any(os.listdir(os.readlink(at / "cwd")))
    assert os.getsid(int(at.name)) == int(at.name)
    reading = threading.Thread(target=lambda: alone.read([("slow.pdf", bombs.rectangles())]))
    reading.start()
    at = Path(f"/proc/{_only_child(int(at.name))}")
    time.sleep(0.1)
    limits = {line[:25].strip(): line[25:].split() for line in (at / "limits").read_text().splitlines()}
    status = dict(line.split(":", 1) for line in (at / "status").read_text().splitlines() if ":" in line)
    reading.join(10)
    assert limits["Max address space"][0] == "512000000"
    assert limits["Max open files"][0] == "64"
    assert limits["Max file size"][0] == limits["Max core file size"][0] == "0"
    assert status["Seccomp"].strip() == "2" and status["NoNewPrivs"].strip() == "1"


def test_the_child_can_open_no_file_reach_no_network_start_no_program_and_change_nothing() -> None:
    """The fences themselves, tried from inside by a process that put them up."""
    import subprocess
    import sys

    tries = (
        "import os, socket, sys; sys.path.insert(0, sys.argv[1])\n"
        "from intake.adapters.documents.confine import confine\n"
        "print(','.join(confine(512_000_000)))\n"
        "def refused(call):\n"
        "    try:\n        call()\n"
        "    except OSError as error:\n        return error.errno in (1, 13, 27)\n"
        "    return False\n"
        "print([refused(c) for c in (lambda: socket.socket(), os.fork, lambda: os.execv('/bin/true', ['true']),\n"
        "    lambda: os.unlink('/tmp/none'), lambda: os.mkdir('/tmp/none'), lambda: os.kill(os.getppid(), 0),\n"
        "    lambda: os.rename('/tmp/none', '/tmp/other'), lambda: open('/etc/passwd'), lambda: open('/tmp/none', 'w'),\n"
        "    lambda: os.listdir('/'), lambda: os.posix_spawn('/bin/true', ['true'], {}))])\n"
    )
    root = str(Path(__file__).parents[2])
    done = subprocess.run([sys.executable, "-c", tries, root], capture_output=True, text=True, timeout=30)
    fences, refused = done.stdout.split("\n")[:2]
    assert "resources" in fences
    if "calls" not in fences:
        pytest.skip("this machine's kernel offers no filter of calls to us")
    assert refused == str([True] * 11)


def test_a_process_behind_the_fences_that_eats_memory_or_time_is_stopped() -> None:
    import subprocess
    import sys

    start = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from intake.adapters.documents.confine import allow_seconds, confine\n"
        "confine(512_000_000)\n"
    )
    root = str(Path(__file__).parents[2])
    eats = (
        start
        + "try:\n    held = [bytearray(64_000_000) for _ in range(20)]\nexcept MemoryError:\n    print('no more')\n"
    )
    loops = start + "allow_seconds(0.3)\nwhile True:\n    pass\n"
    done = subprocess.run([sys.executable, "-c", eats, root], capture_output=True, text=True, timeout=30)
    assert done.stdout == "no more\n"
    begun = time.monotonic()
    done = subprocess.run([sys.executable, "-c", loops, root], capture_output=True, text=True, timeout=30)
    assert done.returncode == -signal.SIGPROF and time.monotonic() - begun < 10


def test_the_fences_that_hold_here_are_told_by_a_real_child() -> None:
    with DocumentReader() as reader:
        held = reader.fences()
    assert "resources" in held
    if Path("/proc/sys/kernel/seccomp").exists():
        assert "calls" in held


@pytestmark_linux
def test_closing_a_reader_ends_its_child_and_removes_its_folder() -> None:
    reader = DocumentReader()
    read_one(reader, GOOD)
    newest = max(_warm_parents())
    folder = os.readlink(f"/proc/{newest}/cwd")
    reader.close()
    assert newest not in _warm_parents() and not Path(folder).exists()
    reader.close()


def test_no_child_is_started_for_files_that_need_none() -> None:
    with DocumentReader() as reader:
        before = _warm_parents() if Path("/proc").is_dir() else []
        reader.read([("a.txt", b"Kia ora"), ("b.pages", bombs.zipped("Index/Document.iwa")), ("c", b"")])
        assert (_warm_parents() if Path("/proc").is_dir() else []) == before


def test_threads_may_share_a_reader() -> None:
    found: list[bool] = []
    with DocumentReader() as reader:

        def work() -> None:
            for _ in range(5):
                found.append(read_one(reader, GOOD).form == "breach-notice")

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [True] * 20
