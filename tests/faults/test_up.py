"""`provider-intake up`: all programs of one machine as one group."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from intake.adapters.maildrop import drop
from tests.faults.test_killed_reader import notice, settled
from tests.support.ports import free_ports
from tests.support.running import COMMAND, Site, until


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    listen = f"127.0.0.1:{free_ports(1)[0]}"
    made = Site(
        tmp_path,
        {"demo": {"kind": "maildrop", "folder": str(tmp_path / "drop")}},
        listen=listen,
        base_url=f"http://{listen}",
    )
    yield made
    made.stop()


def programs(site: Site) -> dict[str, int]:
    """The running programs of the site."""
    found = {}
    folder = Path(site.environ["INTAKE_DATA_DIR"]).resolve() / "valkey"
    mark = f"INTAKE_DATA_DIR={site.environ['INTAKE_DATA_DIR']}".encode()
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                environ = (process / "environ").read_bytes().split(b"\0")
                works_in = (process / "cwd").readlink()
                words = (process / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
            except OSError:
                continue
            if works_in == folder:  # its command line is of no use: it writes a title of its own over it
                found["valkey"] = int(process.name)
            elif mark in environ and COMMAND[-1].encode() in words:  # not a reader of documents
                found[words[-1].decode(errors="replace")] = int(process.name)
    return found


needs_proc = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="there is no /proc on this system")
EXPECTED = {"up", "serve", "work", "collect", "valkey"}


def answers(site: Site) -> bool:
    try:
        with urllib.request.urlopen(f"{site.environ['INTAKE_BASE_URL']}/", timeout=5) as page:
            return bool(page.status == 200)
    except OSError:
        return False


@needs_proc
def test_one_command_brings_a_dropped_mail_to_a_case_and_survives_the_death_of_each_part(
    site: Site, tmp_path: Path
) -> None:
    up = site.start("up")
    until(lambda: answers(site), 40, "a page")
    parts = site.parts()
    drop(tmp_path / "drop", notice(1))
    until(lambda: settled(parts, 1), 20, "a case")
    until(lambda: site.environ["INTAKE_BASE_URL"] in site.log("up"), 5, "the address is printed")

    for name in ("valkey", "collect", "work", "serve"):
        killed = programs(site)[name]
        os.kill(killed, signal.SIGKILL)
        until(lambda name=name, killed=killed: programs(site).get(name, killed) != killed, 15, f"{name} again")
    drop(tmp_path / "drop", notice(2))
    until(lambda: settled(parts, 2), 20, "a second case")
    until(lambda: answers(site), 20, "a page again")

    up.send_signal(signal.SIGINT)
    assert up.wait(15) == 0
    until(lambda: not programs(site), 5, "nothing is left")


@needs_proc
def test_when_up_is_killed_nothing_of_it_stays(site: Site) -> None:
    up = site.start("up")
    until(lambda: programs(site).keys() >= EXPECTED, 30, "all parts")

    os.kill(up.pid, signal.SIGKILL)
    up.wait()

    until(lambda: not programs(site), 10, "nothing is left")


def test_a_fresh_demo_adds_up(site: Site) -> None:
    site.environ["INTAKE_DEMO"] = "true"
    del site.environ["INTAKE_CONFIG"]  # it writes one of its own
    site.start("up")
    site.environ["INTAKE_CONFIG"] = str(Path(site.environ["INTAKE_DATA_DIR"]) / "demo.toml")

    until(lambda: "as many as its folders hold" in site.ends("doctor").stdout, 40, "the count of the demo")


@pytest.fixture
def taken(site: Site) -> Iterator[str]:
    """The address of the site, at which something else listens."""
    listen = site.environ["INTAKE_LISTEN"]
    host, _, port = listen.partition(":")
    with socket.create_server((host, int(port))):
        yield listen


def says_how_to_mend(text: str, listen: str) -> bool:
    said = re.search(
        rf"{listen} is taken by another program: stop that one, or start with .* INTAKE_LISTEN=(\S+)\.", text
    )
    return said is not None and said[1] != listen and said[1].startswith("127.0.0.1:")


@pytest.mark.parametrize("demo", [False, True])
def test_a_port_that_is_taken_is_said_before_anything_is_made(site: Site, taken: str, demo: bool) -> None:
    site.environ["INTAKE_DEMO"] = str(demo).lower()
    up = site.start("up")
    assert up.wait(20) == 78

    assert says_how_to_mend(site.log("up"), taken)
    assert not list((site.folder / "var").iterdir())


def test_a_fresh_checkout_says_that_the_port_is_taken_before_it_makes_its_environment(
    site: Site, taken: str, tmp_path: Path
) -> None:
    here, fresh = Path(__file__).parents[2], tmp_path / "fresh"
    for name in ("intake", "forms", "workers"):
        shutil.copytree(here / name, fresh / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(here / "dev.py", fresh)
    environ = {"PATH": os.environ["PATH"], "INTAKE_LISTEN": taken}
    run = [sys.executable, "-I", "-S", str(fresh / "dev.py"), "up"]
    ended = subprocess.run(run, env=environ, capture_output=True, text=True, timeout=20, check=False)

    assert ended.returncode == 78
    assert says_how_to_mend(ended.stdout, taken)
    assert not (fresh / ".venv").exists() and not (fresh / "var").exists()
