"""Somebody with a browser without scripts: opens pages, sees what stands in the fields, changes some, presses a button."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from flask.testing import FlaskClient

Values = dict[str, list[str]]
_VOID = frozenset({"input", "br", "meta", "link", "hr", "img"})


@dataclass
class Sheet:
    """One form of a page: where it goes, and what a browser would send of it."""

    action: str = ""
    values: Values = field(default_factory=dict)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)  # text, name, value


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.sheets: dict[str, Sheet] = {}
        self.order: list[Sheet] = []
        self.form: Sheet | None = None
        self.area: tuple[Sheet, str] | None = None
        self.menu: tuple[Sheet, str] | None = None
        self.button: list[str] | None = None
        self.pressed: tuple[str, str, str] = ("", "", "")
        self.skipping = 0
        self.words: list[str] = []
        self.links: list[tuple[str, str]] = []
        self.title = ""
        self.titled = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        a = {k: v or "" for k, v in attrs}
        name = a.get("name", "")
        if tag == "form":
            self.form = self.sheets.setdefault(a.get("id", f"form {len(self.order)}"), Sheet())
            self.form.action = a.get("action", "")
            self.order.append(self.form)
        elif tag == "input" and self.form is not None and name:
            chosen = a.get("type") not in ("radio", "checkbox") or "checked" in a
            if chosen:
                self.form.values.setdefault(name, []).append(a.get("value", "on"))
        elif tag == "textarea" and self.form is not None:
            self.area = (self.form, name)
            self.form.values[name] = [""]
        elif tag == "select" and self.form is not None:
            self.menu = (self.form, name)
            self.form.values[name] = []
        elif tag == "option" and self.menu is not None and ("selected" in a or not self.menu[0].values[self.menu[1]]):
            self.menu[0].values[self.menu[1]] = [a.get("value", "")]
        elif tag == "button":
            self.button, self.pressed = [], (a.get("form", ""), name, a.get("value", ""))
        elif tag == "a":
            self.links.append((a.get("href", ""), ""))
        elif tag == "title":
            self.titled = True
        elif tag in ("style", "svg"):
            self.skipping += 1

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.form = None
        elif tag == "textarea":
            self.area = None
        elif tag == "select":
            self.menu = None
        elif tag == "button" and self.button is not None:
            owner, name, value = self.pressed
            sheet = self.sheets.setdefault(owner, Sheet()) if owner else self.form
            if sheet is not None:
                sheet.buttons.append((" ".join("".join(self.button).split()), name, value))
            self.button = None
        elif tag == "title":
            self.titled = False
        elif tag in ("style", "svg"):
            self.skipping -= 1

    def handle_data(self, data: str) -> None:
        if self.titled:
            self.title += data
        elif self.area is not None:
            sheet, name = self.area
            first = not sheet.values[name][0]
            sheet.values[name][0] += data[1:] if first and data.startswith("\n") else data
        else:
            if self.button is not None:
                self.button.append(data)
            if not self.skipping:
                self.words.append(data)


@dataclass
class Visitor:
    client: FlaskClient
    response: Any = None
    path: str = ""

    def open(self, address: str) -> Visitor:
        self.response = self.client.get(address)
        self.path = address
        return self._followed()

    def press(self, button: str, changes: dict[str, str | list[str]] | None = None) -> Visitor:
        """Fill in the changes and press the button with these words. A value of [] takes the ticks away."""
        sheet, name, value = self._button(button)
        values = {k: list(v) for k, v in sheet.values.items()}
        for field_name, typed in (changes or {}).items():
            values[field_name] = typed if isinstance(typed, list) else [typed]
        if name:
            values[name] = [value]
        action = sheet.action or urlsplit(self.path).path
        # A browser sends CR LF for the end of a line in a text area.
        sent = {k: [x.replace("\n", "\r\n") for x in v] for k, v in values.items()}
        self.response = self.client.post(action, data=sent, headers={"Sec-Fetch-Site": "same-origin"})
        self.path = action
        return self._followed()

    def _followed(self) -> Visitor:
        while self.response.status_code == 303:
            self.path = self.response.location
            self.response = self.client.get(self.path)
        return self

    def _button(self, words: str) -> tuple[Sheet, str, str]:
        for sheet in self._read().sheets.values():
            for text, name, value in sheet.buttons:
                if text.startswith(words):
                    return sheet, name, value
        raise AssertionError(f"no button {words!r} on {self.path}: {[s.buttons for s in self._read().sheets.values()]}")

    def _read(self) -> _Reader:
        reader = _Reader()
        reader.feed(self.response.text.replace("\r\n", "\n"))  # as a browser reads a page
        return reader

    @property
    def status(self) -> int:
        return int(self.response.status_code)

    @property
    def title(self) -> str:
        return self._read().title

    @property
    def words(self) -> str:
        return " ".join(" ".join(self._read().words).split())

    @property
    def links(self) -> list[str]:
        return [href for href, _ in self._read().links]

    @property
    def buttons(self) -> list[str]:
        """The words of the buttons, in the order of the page: Enter presses the first one of a form."""
        return [text for sheet in self._read().sheets.values() for text, _, _ in sheet.buttons]

    def shown(self, name: str) -> list[str]:
        """What stands in the field, whatever form it is in."""
        return next((s.values[name] for s in self._read().sheets.values() if name in s.values), [])
