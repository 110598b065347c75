"""`serve`, `work`, `collect`, `up`: the running processes."""

from __future__ import annotations

import argparse

from intake import config
from intake.wiring import build


def serve(given: argparse.Namespace) -> int:
    import waitress

    from intake.web.app import create_app

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
    )
    return 0


def work(given: argparse.Namespace) -> int:
    from workers.jobs import run_worker

    run_worker(build(config.load()))
    return 0


def collect(given: argparse.Namespace) -> int:
    from workers.collect import run

    run(build(config.load()))
    return 0


def up(given: argparse.Namespace) -> int:
    from workers.up import run

    return run(config.load())
