#!/usr/bin/env python3
"""Two commands for a fresh machine with CPython 3.11 or newer and nothing else.

python3 dev.py up       make the environment, load invented examples, start everything, print one address
python3 dev.py test     make the environment and run every check; says what it skipped and why

python3 dev.py setup    the environment only; the command is then .venv/bin/provider-intake
python3 dev.py lock     write the locks after a change of pyproject.toml (needs the network; no index address gets into them)
    lock NAME ...       the newest of these packages; lock --upgrade: of all
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
STARTED = time.monotonic()
BOOTSTRAP, RUNTIME, TEST = (ROOT / n for n in ("lock/uv.txt", "lock/runtime.txt", "lock/test.txt"))


def say(text: str) -> None:
    print(f"[{time.monotonic() - STARTED:5.1f} s] {text}", flush=True)


def main(arguments: list[str]) -> int:
    if sys.version_info < (3, 11):
        print("provider-intake needs CPython 3.11 or newer; this is", sys.version.split()[0])
        return 69
    commands = {"up": up, "test": test, "setup": setup, "lock": lock}
    if not arguments or arguments[0] not in commands:
        print(__doc__)
        return 0 if arguments in ([], ["-h"], ["--help"]) else 64
    return commands[arguments[0]](arguments[1:])


def setup(rest: list[str]) -> int:
    ensure(TEST if "--test" in rest else RUNTIME)
    say(f"ready: {BIN / 'provider-intake'}")
    return 0


def up(rest: list[str]) -> int:
    taken = taken_port()
    if taken:
        say(taken)
        return 78
    ensure(RUNTIME)
    environment = {"INTAKE_DEMO": "true", "INTAKE_DATA_DIR": str(ROOT / "var" / "demo"), **os.environ}
    command = [str(BIN / "provider-intake"), "up", *rest]
    if os.name == "nt":
        return subprocess.call(command, env=environment, cwd=ROOT)
    os.chdir(ROOT)
    os.execve(command[0], command, environment)


def taken_port() -> str:
    """How to mend it when the port is taken: asked before the slow work, so with nothing but the standard library."""
    sys.path.insert(0, str(ROOT))
    from intake.config import SETTINGS
    from intake.domain.errors import Misconfigured
    from workers.port import refuse_taken

    usual = next(str(s.default) for s in SETTINGS if s.name == "listen")
    # With a settings file the program itself asks: it is there that the address stands.
    listen = os.environ.get("INTAKE_LISTEN", "" if "INTAKE_CONFIG" in os.environ else usual)
    try:
        refuse_taken(listen)
    except Misconfigured as error:
        return error.for_staff
    return ""


def test(rest: list[str]) -> int:
    ensure(TEST)
    checks = [
        ("style", ["ruff", "check", "."]),
        ("format", ["ruff", "format", "--check", "."]),
        ("layers", ["lint-imports"]),
        ("types", ["mypy"]),
    ]
    if not rest:
        for name, command in checks:
            say(f"{name}: {' '.join(command)}")
            if subprocess.call([str(BIN / command[0]), *command[1:]], cwd=ROOT):
                return 1
    say("tests: pytest" + "".join(f" {r}" for r in rest))
    workers = [] if rest else ["-n", str(min(4, os.cpu_count() or 1))]
    with tempfile.TemporaryDirectory(prefix="pi", ignore_cleanup_errors=True) as folder:
        # A short folder of its own: sockets live below it, and another run may not clear it away.
        own = [] if any(r.startswith("--basetemp") for r in rest) else [f"--basetemp={folder}/t"]
        return subprocess.call([str(PYTHON), "-m", "pytest", *workers, *own, *rest], cwd=ROOT)


def lock(rest: list[str]) -> int:
    uv = find_uv()
    if uv is None:
        say("uv is needed to renew the locks: run python3 dev.py setup first, which fetches it")
        return 69
    common = [
        *uv,
        "pip",
        "compile",
        "-q",
        "--universal",
        "--python-version",
        "3.11",
        "--generate-hashes",
        "--no-emit-index-url",
        "--no-emit-find-links",
        "--no-annotate",
        "--no-header",
    ]
    (ROOT / "lock").mkdir(exist_ok=True)
    upgrade = ["--upgrade"] if "--upgrade" in rest else [f"--upgrade-package={name}" for name in rest]
    subprocess.run([*common, *upgrade, "--all-extras", "pyproject.toml", "-o", str(TEST)], cwd=ROOT, check=True)
    # One resolution: what runs is what was tested.
    subprocess.run([*common, "-c", str(TEST), "pyproject.toml", "-o", str(RUNTIME)], cwd=ROOT, check=True)
    subprocess.run([*common, *upgrade, "-", "-o", str(BOOTSTRAP)], cwd=ROOT, check=True, input=b"uv")
    return 0


def ensure(wanted: Path) -> None:
    """The environment holds exactly what `wanted` locks; a stamp makes the next start quick."""
    stamp = VENV / "stamp"
    mark = fingerprint(wanted)
    if PYTHON.exists():
        compile_own()
    known = stamp.read_text().split() if stamp.exists() else []
    if mark in known:
        return
    say("making the environment in .venv (once)")
    if not PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    install(wanted)
    marks = {mark} | ({fingerprint(RUNTIME)} if wanted == TEST else set())
    compile_own()
    stamp.write_text(" ".join(sorted(marks)))
    say("environment ready")


def compile_own() -> None:
    """Bytecode beside the sources, also where the machine is told not to write any: each start is a second quicker."""
    folders = [str(ROOT / name) for name in ("intake", "forms", "workers")]
    subprocess.run([str(PYTHON), "-m", "compileall", "-q", *folders], check=False, cwd=ROOT)


def fingerprint(lock_file: Path) -> str:
    digest = hashlib.sha256(sys.version.encode())
    for path in (lock_file, ROOT / "pyproject.toml"):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def install(wanted: Path) -> None:
    uv = find_uv() or fetch_uv()
    if uv:
        say(f"installing {count(wanted)} packages with uv")
        base = [*uv, "pip", "install", "--python", str(PYTHON), "-q", "--compile-bytecode"]
    else:
        say(f"installing {count(wanted)} packages with pip (a minute or two)")
        base = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "-q"]
    subprocess.run([*base, "--require-hashes", "-r", str(wanted)], check=True, cwd=ROOT)
    subprocess.run([*base, "--no-deps", "-e", str(ROOT)], check=True, cwd=ROOT)


def find_uv() -> list[str] | None:
    for candidate in (BIN / "uv", shutil.which("uv")):
        if candidate and Path(candidate).exists():
            return [str(candidate)]
    return None


def fetch_uv() -> list[str] | None:
    """uv is some 15 times quicker than pip; when it cannot be had, pip does it."""
    say("fetching uv")
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "-q", "--require-hashes"]
    done = subprocess.run([*command, "-r", str(BOOTSTRAP)], capture_output=True, check=False)
    return find_uv() if done.returncode == 0 else None


def count(lock_file: Path) -> int:
    return sum("==" in line for line in lock_file.read_text().splitlines() if not line.startswith(" "))


if __name__ == "__main__":
    try:
        raise SystemExit(main(sys.argv[1:]))
    except subprocess.CalledProcessError as error:
        say(f"stopped: {error.cmd[0]} ended with {error.returncode}")
        raise SystemExit(69) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
