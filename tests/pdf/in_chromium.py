"""pdf.js where it is at home: in a browser. A page of headless Chromium loads it, fills copies of a form and saves them."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from forms.pdf.blank import blank
from forms.schema import Form
from tests.pdf.programs import Values, pdfjs_folder
from tests.support.browser import open_browser

_FILL = """
async ([blank, sets]) => {
  const pdfjs = await import("/build/pdf.mjs");
  pdfjs.GlobalWorkerOptions.workerSrc = "/build/pdf.worker.mjs";
  const bytes = Uint8Array.from(atob(blank), (c) => c.charCodeAt(0));
  const saved = [];
  for (const values of sets) {
    const document = await pdfjs.getDocument({ data: bytes.slice(), verbosity: 0 }).promise;
    const fields = await document.getFieldObjects();
    for (const [name, value] of Object.entries(values)) {
      for (const widget of fields[name] ?? []) {
        if (!widget.id) continue;
        const held = widget.type === "radiobutton" ? widget.exportValues === value
          : widget.type === "checkbox" ? value === true : value;
        document.annotationStorage.setValue(widget.id, { value: held });
      }
    }
    const out = await document.saveDocument();
    let text = "";
    for (let at = 0; at < out.length; at += 32768) text += String.fromCharCode(...out.subarray(at, at + 32768));
    saved.push(btoa(text));
    await document.loadingTask.destroy();
  }
  return saved;
}
"""


class _Files(SimpleHTTPRequestHandler):
    """Quiet, and with the type that a browser wants of a module."""

    extensions_map: ClassVar[dict[str, str]] = {**SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript"}

    def log_message(self, format: str, *args: object) -> None:
        return None


@contextmanager
def _served() -> Iterator[str]:
    folder = pdfjs_folder() / "node_modules" / "pdfjs-dist"
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


def by_pdfjs_in_chromium(form: Form, sets: Sequence[Values]) -> list[bytes]:
    """One page for all sets; each is saved from the blank form."""
    with _served() as address, open_browser() as browser:
        page = browser.new_page()
        page.goto(f"{address}/package.json")
        page.set_default_timeout(120_000)
        saved = page.evaluate(_FILL, [base64.b64encode(blank(form)).decode(), [dict(v) for v in sets]])
    return [base64.b64decode(each) for each in saved]
