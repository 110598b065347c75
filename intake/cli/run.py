"""`serve`, `work`, `collect`, `up`: the running processes."""

from __future__ import annotations

import argparse
import os
from typing import Any

from intake import config
from intake.config import Settings
from intake.wiring import build


def serve(given: argparse.Namespace) -> int:
    import waitress

    from intake.web.app import create_app
    from workers.log import log_events

    log_events()
    settings = config.load()
    app = create_app(build(settings))
    host, _, port = str(settings.listen).rpartition(":")
    waitress.serve(
        app,
        host=host or "127.0.0.1",
        port=int(port),
        threads=8,
        ident=None,
        max_request_body_size=settings.max_message_bytes,
        clear_untrusted_proxy_headers=True,
        **proxy_of(settings),
    )
    return 0


def proxy_of(settings: Settings) -> dict[str, Any]:
    """What the server is told of the proxy in front: the address that it adds last says who asks."""
    if not settings.trusted_proxy:
        return {}
    named = {"trusted_proxy": str(settings.trusted_proxy), "trusted_proxy_count": 1}
    return named | {"trusted_proxy_headers": {"x-forwarded-for"}}


def work(given: argparse.Namespace) -> int:
    from workers.jobs import run_worker

    run_worker(build(config.load()))
    return 0


def collect(given: argparse.Namespace) -> int:
    from workers.collect import run

    run(build(config.load()))
    return 0


def up(given: argparse.Namespace) -> int:
    from workers.port import refuse_taken
    from workers.up import run

    settings = config.load()
    refuse_taken(str(settings.listen))
    if settings.demo:
        settings = _demo(settings)
    return run(settings)


def _demo(settings: Settings) -> Settings:
    """Invented data and settings, and links to sign in with; once, so that later starts are quick."""
    from intake.adapters.demo import load
    from intake.web.auth import sign_in_link

    if "INTAKE_CONFIG" not in os.environ:
        os.environ["INTAKE_CONFIG"] = str(load.settings_file(settings))
        settings = config.load()
    parts = build(settings)
    try:
        load.load(parts, lambda text: print(text, flush=True))
        print("Sign in as staff (each link works once, for a few minutes; later ones: the page /demo):")
        for one in parts.store.all_staff():
            print(f"  {one.role:14} {sign_in_link(parts, one.address)}")
        print(f"In a second shell, for commands: export INTAKE_CONFIG={os.environ['INTAKE_CONFIG']}")
    finally:
        if "documents" in parts.__dict__:
            parts.documents.close()
    return settings
