"""What the child may do. Linux: resource limits, no files, no network, no new processes; elsewhere what there is.

These fences are the second line: the child holds no secret, has an empty environment, and its answer is read as bounded JSON.
Everything that it needs was loaded before it was forked, so no file has to be opened any more.
"""

from __future__ import annotations

import ctypes
import math
import os
import platform
import signal
import struct
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
PR_SET_SECCOMP = 22
FILTER_MODE = 2
ALLOW = 0x7FFF0000
REFUSE = 0x00050000 | 1  # the call fails with EPERM
NOT_THERE = 0x00050000 | 38  # it fails with ENOSYS: the C library then takes the older call
KILL = 0x80000000
CLONE = {"x86_64": 56, "aarch64": 220}
CLONE3 = 435  # its flags stand in memory, where a filter cannot look
CLONE_THREAD = 0x10000
LANDLOCK_CREATE, LANDLOCK_RESTRICT = 444, 446  # the same numbers on all machines

# Numbers of the system calls that a reader of documents never needs: files, network, new processes, tracing, name spaces.
# From the kernel's own tables for the two machines that servers have.
REFUSED = {
    "x86_64": (
        0xC000003E,
        (2, 257, 437, 304,
         41, 42, 43, 44, 46, 49, 50, 53, 288, 307, 57, 58, 59, 322, 62, 200, 101, 310, 311, 76, 77, 82, 83, 84, 85, 86, 87,
         88, 90, 91, 92, 93, 94, 132, 133, 161, 165, 166, 155, 169, 175, 176, 246, 248, 249, 250, 258, 259, 260, 263, 264, 265,
         266, 268, 272, 308, 313, 316, 321, 425, 426, 427, 442),
    ),
    "aarch64": (
        0xC00000B7,
        (56, 437, 265,
         198, 199, 200, 201, 202, 203, 206, 211, 242, 269, 220, 221, 281, 129, 130, 117, 270, 271, 33, 34, 35, 36, 37, 38, 45,
         46, 51, 52, 53, 54, 55, 39, 40, 41, 97, 104, 105, 106, 142, 217, 218, 219, 268, 273, 276, 280, 425, 426, 427, 442),
    ),
}  # fmt: skip


def die_with_parent() -> None:
    """Linux: let the kernel end this process when the one that forked it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


FENCES = ("resources", "landlock", "calls")


def confine(memory: int) -> tuple[str, ...]:
    """Limit this process for good. Gives the names of the fences that stand; never raises for one that this system lacks."""
    fences = []
    if _resources(memory):
        fences.append("resources")
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0:
            if _landlock(libc):
                fences.append("landlock")
            if _seccomp(libc):
                fences.append("calls")
    return tuple(fences)


def _resources(memory: int) -> bool:
    try:
        import resource
    except ImportError:  # Windows has none: the parent's clock is the only limit there
        return False
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    return True


def allow_seconds(seconds: float) -> None:
    """Let this process use so many more seconds of CPU; then the kernel ends it. 0: until it is told again.

    A clock for the exact time, and behind it the limit on whole seconds, which nothing in this process can put off.
    """
    try:
        import resource
    except ImportError:
        return
    signal.setitimer(signal.ITIMER_PROF, seconds)
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = math.ceil(used.ru_utime + used.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


def _landlock(libc: ctypes.CDLL) -> bool:
    """Take away all files, and TCP where the kernel's landlock knows it (from its fourth version). False where it is not offered."""
    version = libc.syscall(LANDLOCK_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    if version < 1:
        return False
    files = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)) - 1
    network = 3 if version >= 4 else 0
    rules = struct.pack("QQ", files, network)[: 16 if version >= 4 else 8]
    made = libc.syscall(LANDLOCK_CREATE, ctypes.c_char_p(rules), ctypes.c_size_t(len(rules)), ctypes.c_uint32(0))
    if made < 0:
        return False
    held = bool(libc.syscall(LANDLOCK_RESTRICT, ctypes.c_int(made), ctypes.c_uint32(0)) == 0)
    os.close(made)
    return held


def _seccomp(libc: ctypes.CDLL) -> bool:
    """Install the filter of refused calls. False on another machine, or where the kernel says no."""
    found = REFUSED.get(platform.machine())
    if found is None:
        return False
    machine, calls = found
    program = _program(machine, calls, CLONE[platform.machine()])
    buffer = ctypes.create_string_buffer(b"".join(program))
    fprog = struct.pack("HxxxxxxP", len(program), ctypes.addressof(buffer))
    return bool(libc.prctl(PR_SET_SECCOMP, FILTER_MODE, ctypes.c_char_p(fprog), 0, 0) == 0)


def _program(machine: int, calls: Sequence[int], clone: int) -> list[bytes]:
    """A classic BPF program: another machine's calls end the process, listed calls are refused, all others pass.

    A clone is let through when it makes a thread: decoders of pictures start one. A thread has the same fences and limits.
    """

    def step(code: int, yes: int, no: int, value: int) -> bytes:
        return struct.pack("HBBI", code, yes, no, value)

    load, equal, at_least, has_bits, done = 0x20, 0x15, 0x35, 0x45, 0x06
    program = [
        step(load, 0, 0, 4),
        step(equal, 1, 0, machine),
        step(done, 0, 0, KILL),
        step(load, 0, 0, 0),
        step(at_least, 0, 1, 0x40000000),  # the 32-bit-pointer variant of calls would pass by the list
        step(done, 0, 0, KILL),
        step(equal, 0, 1, CLONE3),
        step(done, 0, 0, NOT_THERE),
        step(equal, 0, 4, clone),
        step(load, 0, 0, 16),  # the low half of its first argument, the flags
        step(has_bits, 0, 1, CLONE_THREAD),
        step(done, 0, 0, ALLOW),
        step(done, 0, 0, REFUSE),
    ]
    for left, call in zip(range(len(calls), 0, -1), calls, strict=True):
        program.append(step(equal, left, 0, call))
    program.append(step(done, 0, 0, ALLOW))
    program.append(step(done, 0, 0, REFUSE))
    return program
