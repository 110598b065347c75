"""Whether the address that the pages are to stand at is free: asked before anything slow is begun. Standard library only."""

from __future__ import annotations

import socket

from intake.domain.errors import Misconfigured

_TRIES = 20


def refuse_taken(listen: str) -> None:
    """Raises Misconfigured, with another address to take, when something listens at `listen` (host:port) already."""
    if answers(listen):
        raise Misconfigured(
            f"{listen} is taken by another program: stop that one, or start with another address, "
            f"for example INTAKE_LISTEN={_another(listen)}."
        )


def answers(listen: str) -> bool:
    """Whether something listens there. Nothing does at what is no address: who is asked to listen says how one is written."""
    host, _, port = listen.rpartition(":")
    try:
        socket.create_connection((host or "127.0.0.1", int(port)), timeout=1).close()
    except (OSError, ValueError, OverflowError):
        return False
    return True


def _another(listen: str) -> str:
    """The same host with the next port at which nothing answers."""
    host, _, port = listen.rpartition(":")
    after = [f"{host}:{n}" for n in range(int(port) + 1, min(int(port) + 1 + _TRIES, 65536))]
    return next((a for a in after if not answers(a)), f"{host}:8701")
