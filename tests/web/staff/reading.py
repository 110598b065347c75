"""A page as a person reads it: text, headings, links, badges, and forms that are filled in and sent with what stands in them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

_VOID = frozenset({"input", "br", "hr", "meta", "link", "img"})


@dataclass
class Form:
    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)  # words, name, value
    labels: dict[str, str] = field(default_factory=dict)  # words to name
    options: dict[str, list[str]] = field(default_factory=dict)


class Page(HTMLParser):
    """Parsed once; `text` is what is shown, in order, with single spaces."""

    def __init__(self, response: TestResponse) -> None:
        super().__init__()
        self.status = response.status_code
        self.response = response
        self.html = response.get_data(as_text=True)
        self.title = ""
        self.headings: list[str] = []
        self.links: dict[str, str] = {}
        self.forms: list[Form] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self._open: list[tuple[str, dict[str, str]]] = []
        self._words: list[str] = []
        self._inside: dict[str, list[str]] = {}
        self._select: tuple[str, str | None] | None = None
        self._area: str | None = None
        self._ids: dict[str, str] = {}
        self._for: list[tuple[str, str]] = []
        self.feed(self.html)
        for words, target in self._for:
            if target in self._ids and self.forms:
                for form in self.forms:
                    form.labels.setdefault(words, self._ids[target])

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self._words)).strip()

    def form(self, button: str) -> Form:
        """The form that has a button with these words."""
        for form in self.forms:
            if any(button in words for words, _, _ in form.buttons):
                return form
        raise AssertionError(f"no button “{button}” among {[b for f in self.forms for b in f.buttons]}")

    def has_button(self, button: str) -> bool:
        return any(button in words for form in self.forms for words, _, _ in form.buttons)

    # ---- parsing

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {k: v or "" for k, v in attrs}
        self.tags.append((tag, given))
        form = self.forms[-1] if self.forms and any(t == "form" for t, _ in self._open) else None
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get")))
        elif tag == "input" and form is not None:
            self._input(form, given)
        elif tag == "select" and form is not None:
            self._select = (given.get("name", ""), None)
        elif tag == "option" and self._select and form is not None:
            name, _ = self._select
            form.options.setdefault(name, []).append(given.get("value", ""))
            if "selected" in given or len(form.options[name]) == 1:
                form.fields = [f for f in form.fields if f[0] != name] + [(name, given.get("value", ""))]
        elif tag == "textarea":
            self._area = given.get("name", "")
        if tag in ("input", "select", "textarea") and "id" in given:
            self._ids[given["id"]] = given.get("name", "")
        if tag not in _VOID:
            self._open.append((tag, given))
            if tag in ("h1", "h2", "h3", "a", "button", "label", "title", "textarea"):
                self._inside[tag] = []
        if tag in ("p", "div", "li", "td", "th", "dt", "dd", "h1", "h2", "h3", "tr", "br", "option", "label"):
            self._words.append(" ")

    def _input(self, form: Form, given: dict[str, str]) -> None:
        kind, name = given.get("type", "text"), given.get("name", "")
        if kind in ("checkbox", "radio"):
            form.options.setdefault(name, []).append(given.get("value", "on"))
            if "checked" not in given:
                return
        form.fields.append((name, given.get("value", "on" if kind == "checkbox" else "")))

    def handle_endtag(self, tag: str) -> None:
        for at in range(len(self._open) - 1, -1, -1):
            if self._open[at][0] == tag:
                given = self._open[at][1]
                del self._open[at:]
                self._closed(tag, given)
                return

    def _closed(self, tag: str, given: dict[str, str]) -> None:
        words = re.sub(r"\s+", " ", "".join(self._inside.get(tag, []))).strip()
        if tag in ("h1", "h2", "h3"):
            self.headings.append(words)
        elif tag == "title":
            self.title = words
        elif tag == "a":
            self.links.setdefault(words, given.get("href", ""))
        elif tag == "button" and self.forms:
            self.forms[-1].buttons.append((words, given.get("name", ""), given.get("value", "")))
        elif tag == "label" and "for" in given:
            self._for.append((words, given["for"]))
        elif tag == "textarea" and self._area is not None and self.forms:
            self.forms[-1].fields.append((self._area, "".join(self._inside.get(tag, [])).removeprefix("\n")))
            self._area = None
        elif tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        if any(t in ("script", "style") for t, _ in self._open):
            return
        if not any(t == "title" for t, _ in self._open):
            self._words.append(data)
        for tag in ("h1", "h2", "h3", "a", "button", "label", "title", "textarea"):
            if any(t == tag for t, _ in self._open):
                self._inside[tag].append(data)


class Person:
    """Somebody with a browser: opens pages, follows links, presses buttons. Redirects are followed."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def open(self, address: str) -> Page:
        return Page(self.client.get(address, follow_redirects=True))

    def press(self, page: Page, button: str, **typed: Any) -> Page:
        """Send the form of that button with what stands in it and what is typed over it. A list sends a name several times."""
        form = page.form(button)
        fields = [(k, v) for k, v in form.fields if k not in typed]
        for name, value in typed.items():
            fields += [(name, v) for v in (value if isinstance(value, list) else [value])]
        pressed = next(b for b in form.buttons if button in b[0])
        if pressed[1]:
            fields.append((pressed[1], pressed[2]))
        action = form.action or page.response.request.path
        if form.method.lower() == "get":
            return Page(self.client.get(action, query_string=fields, follow_redirects=True))
        sent: dict[str, list[str]] = {}
        for name, value in fields:
            sent.setdefault(name, []).append(str(value))
        return Page(self.client.post(action, data=sent, follow_redirects=True))
