"""A headless Chromium for tests, and a server to point it at. Without a browser the tests are skipped; with CI=true they fail."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from flask import Flask
    from playwright.sync_api import Browser, Page

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-gpu"]


@cache
def chromium() -> str | None:
    """The browser of this machine; INTAKE_TEST_BROWSER names another one."""
    return os.environ.get("INTAKE_TEST_BROWSER") or next(filter(None, map(shutil.which, _NAMES)), None)


def need_browser() -> str:
    """Skips without one; with CI=true the configuration of the tests turns that skip into a failure."""
    path = chromium()
    if path is None:
        pytest.skip("no Chromium on this machine; set INTAKE_TEST_BROWSER or install it")
    return path


@contextmanager
def open_browser() -> Iterator[Browser]:
    path = need_browser()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The application on a free port of the loopback; its address without a slash at the end."""
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


def axe(page: Page) -> list[str]:
    """What axe-core finds wrong (WCAG 2.2 AA and best practice), one line each."""
    from axe_playwright_python.sync_playwright import Axe

    rules: dict[str, list[str]] = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    rules["resultTypes"] = ["violations"]
    found: Any = Axe().run(page, options=rules)
    return [
        f"{v['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for v in found.response["violations"]
        for node in v["nodes"][:3]
    ]


def sideways(page: Page) -> int:
    """How many pixels the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
