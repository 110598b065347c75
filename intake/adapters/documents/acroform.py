"""The values of a fillable PDF, whatever program filled it. Runs in the child.

No page is decoded here, so no bomb inside a page can go off. The answer is the field's value, never the picture of it; for
buttons it is the state of the widget, because some programs write the value of a radio button as a text with a slash.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream, String

MOST_FIELDS = 5_000
LONGEST = 20_000  # characters of one value
OFF = ("Off", "")


@dataclass(slots=True)
class Fields:
    """All fields of a document by full name. A box or radio that is not on is there with an empty value."""

    values: dict[str, str] = field(default_factory=dict)
    cut: bool = False  # there were more than MOST_FIELDS
    xfa: bool = False


def read_fields(pdf: Pdf) -> Fields | None:
    """The fields of a PDF, or None when it has no form."""
    form = pdf.Root.get("/AcroForm")
    if not isinstance(form, Dictionary):
        return None
    found = Fields(xfa="/XFA" in form)
    top = form.get("/Fields")
    if not isinstance(top, Array) or len(top) == 0:
        return found if found.xfa else None
    seen: set[tuple[int, int]] = set()
    stack: list[tuple[Object, str, str]] = [(o, "", "") for o in top]
    count = 0
    while stack:
        node, before, kind = stack.pop()
        count += 1
        if count > MOST_FIELDS:
            found.cut = True
            break
        if not isinstance(node, Dictionary) or _again(node, seen):
            continue
        _visit(node, before, kind, stack, found.values)
    return found


def _again(node: Object, seen: set[tuple[int, int]]) -> bool:
    at = node.objgen
    if at == (0, 0):
        return False
    if at in seen:
        return True
    seen.add(at)
    return False


def _visit(node: Object, before: str, kind: str, stack: list[tuple[Object, str, str]], values: dict[str, str]) -> None:
    part = node.get("/T")
    name = before
    if part is not None:
        text = str(part)
        name = f"{before}.{text}" if before else text
    own = node.get("/FT")
    kind = str(own) if own is not None else kind
    kids = node.get("/Kids")
    if isinstance(kids, Array):
        fields = [k for k in kids if isinstance(k, Dictionary) and "/T" in k]
        if fields:
            stack.extend((k, name, kind) for k in fields)
            return
    values[name[:300]] = _button(node, kids) if kind == "/Btn" else _text(node)


def _text(node: Object) -> str:
    value = node.get("/V")
    if value is None:
        return ""
    if isinstance(value, String | Name):
        text = str(value)
    elif isinstance(value, Stream):
        text = _stream_text(value)
    elif isinstance(value, Array):
        text = ", ".join(str(v) for v in list(value)[:50])
    else:
        text = str(value)
    return text[:LONGEST].replace("\r\n", "\n").replace("\r", "\n")


def _stream_text(value: Stream) -> str:
    raw = bytes(value.read_bytes()[:LONGEST])
    if raw.startswith(b"\xfe\xff"):
        return raw.decode("utf-16", "replace")
    return raw.decode("utf-8", "replace")


def _button(node: Object, kids: Object | None) -> str:
    """The code of the button that is on, or an empty text."""
    widgets = list(kids) if isinstance(kids, Array) else [node]
    states = [_state(w) for w in widgets if isinstance(w, Dictionary)]
    known = [s for s in states if s is not None]
    on = next((s for s in known if s not in OFF), "")
    if not known:
        on = _bare(str(node.get("/V", "")))
    if on and on.isdigit() and "/Opt" in node:
        return _option(node.Opt, int(on)) or on
    return "" if on in OFF else on[:LONGEST]


def _state(widget: Object) -> str | None:
    state = widget.get("/AS")
    return _bare(str(state)) if state is not None else None


def _bare(text: str) -> str:
    return text[1:] if text.startswith("/") else text


def _option(options: Object, index: int) -> str:
    if isinstance(options, Array) and index < len(options):
        option = options[index]
        return str(option[0]) if isinstance(option, Array) and len(option) else str(option)
    return ""
