"""The structure of a mail, found in its raw bytes: header fields, and the leaves of the MIME tree as slices.

Own splitter, for two reasons: the standard library costs six times as much on mail with attachments, and it is a
bomb on hostile mail. `tests/envelope` compares the two on a corpus; where they disagree on well-formed mail, this
one is wrong. Sources: RFC 5322 2.2, RFC 2046 5.1. Limits: requirement 13 of the security notes
(docs/sender-check.md, "Limits").
"""

from __future__ import annotations

import binascii
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from intake.domain.words import base64_bytes, parameters

Headers = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one mail may cost. Bytes, or counts. Above a limit the rest is left unread, and a note says so."""

    message: int = 36_700_160  # 35 MB: the limit of most mail servers
    header: int = 65_536  # one field
    header_block: int = 262_144  # all fields together
    fields: int = 3_000
    parts: int = 200
    depth: int = 20
    params: int = 50
    body: int = 1_000_000  # characters of text that are kept for people
    html: int = 500_000  # characters of a page that are turned into text
    inner: int = 20  # mails inside the mail
    inner_bytes: int = 73_400_320  # of them together, each counted with those inside it: twice a whole mail
    oversize_peek: int = 1_048_576  # of a mail above `message`, so much is looked at for its text


@dataclass(frozen=True, slots=True)
class Part:
    """A leaf of the tree. `start` and `end` are the place of its content in the raw bytes, still encoded."""

    path: str
    kind: str  # media type in lower case, "text/plain" when none is stated
    params: dict[str, str]
    disposition: str
    name: str  # as the sender gives it: data, never a path
    encoding: str
    content_id: str
    start: int
    end: int
    group: str  # path of the nearest multipart/alternative around it, "" for none
    related: bool  # stands inside a multipart/related


@dataclass(slots=True)
class Split:
    headers: Headers = ()
    body_start: int = 0
    parts: list[Part] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    cut_headers: bool = False  # some header fields were left unread
    root: str = "text/plain"
    root_params: dict[str, str] = field(default_factory=dict)


_BLANK = re.compile(rb"\r?\n\r?\n")
_DASHES = re.compile(rb"\s*--([!-~]{3,200})[ \t]*\r?\n")
_NAME = re.compile(rb"([\x21-\x39\x3b-\x7e]+[ \t]*):")


def split_headers(
    raw: bytes, start: int, end: int, limits: Limits, part: bool = False
) -> tuple[Headers, int, list[str], bool]:
    """Header fields from `start` up to the first empty line, the place where the body begins, notes, and whether any
    were cut.

    Names are as given, with a blank before the colon kept (it is not the same name); values keep their folding. In a
    `part` the first line that is no header begins the body, as the standard library has it; at the top of a mail it
    is left out.
    """
    first = raw[start : start + 2]
    if first[:1] == b"\n" or first == b"\r\n":
        return (), start + (1 if first[:1] == b"\n" else 2), [], False
    blank = _BLANK.search(raw, start, end)
    stop, body = (blank.start(), blank.end()) if blank else (end, end)
    notes: list[str] = []
    cut = False
    if stop - start > limits.header_block:
        stop, cut = start + limits.header_block, True
        notes.append("The header block is longer than 256 KB; what comes after that was not read.")
    fields: list[tuple[str, bytes]] = []
    stray = -1  # where lines begin that are no headers; after the last header they are the text
    for name, value, place in _fields(raw[start:stop]):
        if not name and part:
            body = start + place
            break
        if len(fields) >= limits.fields:
            notes.append(f"There are more than {limits.fields} header lines; the rest was not read.")
            cut = True
            break
        if not name:
            notes.append("A line among the headers is not a header; it was left out.")
            stray = place if stray < 0 else stray
            continue
        stray = -1
        if len(value) > limits.header:
            notes.append("A header is longer than 64 KB; only its beginning was read.")
            value = value[: limits.header]
        fields.append((name, value))
    if stray >= 0:
        body = start + stray
    return tuple(fields), body, list(dict.fromkeys(notes)), cut


def _fields(block: bytes) -> Iterator[tuple[str, bytes, int]]:
    name, place, after = b"", 0, 0
    lines: list[bytes] = []
    for number, line in enumerate(block.split(b"\n")):
        place, after = after, after + len(line) + 1
        if line[:1] in (b" ", b"\t") and lines:
            lines.append(line)
            continue
        if lines:
            yield name.decode("ascii"), b"\n".join(lines).removesuffix(b"\r"), place
            lines = []
        match = _NAME.match(line)
        if match:
            name = match[1]
            lines = [line[match.end() :]]
        elif line.strip() and not (number == 0 and line.startswith((b"From ", b">From "))):
            yield "", line, place
    if lines:
        yield name.decode("ascii"), b"\n".join(lines).removesuffix(b"\r"), place


def split(raw: bytes, limits: Limits, start: int = 0, end: int | None = None) -> Split:
    """The headers and leaves of the mail in raw[start:end]. Messages inside it stay leaves (message/rfc822). Never
    raises.
    """
    stop = len(raw) if end is None else end
    out = Split()
    out.headers, out.body_start, out.notes, out.cut_headers = split_headers(raw, start, stop, limits)
    walk = _Walk(raw, limits, out)
    walk.run(out.headers, out.body_start, stop)
    return out


@dataclass(frozen=True, slots=True)
class _Node:
    headers: Headers
    start: int
    end: int
    path: str
    default: str
    group: str
    related: bool
    depth: int


class _Walk:
    """Depth first, with a stack of its own: no nesting can exhaust Python's."""

    def __init__(self, raw: bytes, limits: Limits, out: Split) -> None:
        self.raw, self.limits, self.out = raw, limits, out
        self.seen = 0

    def run(self, headers: Headers, start: int, end: int) -> None:
        stack = [_Node(headers, start, end, "", "text/plain", "", False, 0)]
        while stack:
            node = stack.pop()
            kind, params, header = self._kind(node)
            if not node.path:
                self.out.root, self.out.root_params = kind, params
            children = self._children(node, kind, params) if kind.startswith("multipart/") else None
            if children is None:
                self._leaf(node, kind, params, header)
            else:
                stack.extend(reversed(children))

    def _kind(self, node: _Node) -> tuple[str, dict[str, str], dict[str, bytes]]:
        header: dict[str, bytes] = {}
        for name, value in node.headers:
            low = name.lower()
            if low.startswith("content-"):
                if low in header and low == "content-type" and header[low] != value:
                    self._note("A part states two content types; the first one was taken.")
                header.setdefault(low, value)
        kind, params, whole = parameters(header.get("content-type", b""), self.limits.params)
        if not whole:
            self._note("A header has more than 50 parameters; the rest was not read.")
        return (kind if "/" in kind else node.default), params, header

    def _children(self, node: _Node, kind: str, params: dict[str, str]) -> list[_Node] | None:
        if node.depth >= self.limits.depth:
            self._note("The parts are nested deeper than 20 levels; what is inside was not read.")
            return None
        boundary = params.get("boundary", "").rstrip()[:200].encode("utf-8", "surrogateescape")
        places = self._places(node, boundary) if boundary else []
        if not places:
            # the header lost its boundary on the way; the body still shows it
            found = _DASHES.match(self.raw, node.start, min(node.end, node.start + 2_000))
            places = self._places(node, found[1]) if found else []
            if not places:
                self._note("A part says that it has parts, and none was found; it is shown as text.")
                return None
            self._note("A part does not say where its parts begin; they were found by their look.")
        group = (node.path or "0") if kind == "multipart/alternative" else node.group
        related = node.related or kind == "multipart/related"
        default = "message/rfc822" if kind == "multipart/digest" else "text/plain"
        children = []
        for number, (start, end) in enumerate(places, 1):
            headers, body, _, _ = split_headers(self.raw, start, end, self.limits, True)
            path = f"{node.path}.{number}" if node.path else str(number)
            children.append(_Node(headers, min(body, end), end, path, default, group, related, node.depth + 1))
        return children

    def _places(self, node: _Node, boundary: bytes) -> list[tuple[int, int]]:
        raw, delimiter = self.raw, b"\n--" + boundary
        at = node.start
        first = raw.startswith(delimiter[1:], at, node.end)  # right at the beginning, without a line before it
        found = at - 1 if first else raw.find(delimiter, at, node.end)
        places: list[tuple[int, int]] = []
        begin, misses = -1, 0
        while found >= 0:
            after, closing, real = _line_end(raw, found + len(delimiter), node.end)
            if not real:
                misses += 1
                if misses > 5_000:
                    self._note("The structure of this mail is not sound; the rest was not read.")
                    break
                found = raw.find(delimiter, found + 1, node.end)
                continue
            if 0 <= begin <= found:
                places.append((begin, _before_line(raw, begin, found)))
                self.seen += 1
            elif begin >= 0:
                misses += 1  # two delimiters in a row are one
            begin = -1 if closing else after
            if closing or self.seen >= self.limits.parts:
                break
            found = raw.find(delimiter, max(after - 1, found + 1), node.end)
        if self.seen >= self.limits.parts and begin >= 0:
            self._note(f"The mail has more than {self.limits.parts} parts; the rest was not read.")
        elif begin >= 0:
            last = node.end - 1 if raw.endswith(b"\n", begin, node.end) else node.end
            places.append((begin, _before_line(raw, begin, last)))
            self.seen += 1
        return places

    def _leaf(self, node: _Node, kind: str, params: dict[str, str], header: dict[str, bytes]) -> None:
        if kind.startswith("multipart/"):
            kind = "text/plain"
        disposition, more, _ = parameters(header.get("content-disposition", b""), self.limits.params)
        name = more.get("filename") or params.get("name", "")
        encoding = header.get("content-transfer-encoding", b"").strip().lower()[:40].decode("ascii", "replace")
        cid = header.get("content-id", b"").strip()[:500].decode("ascii", "replace")
        self.out.parts.append(
            Part(
                node.path or "1",
                kind,
                params,
                disposition,
                name,
                encoding,
                cid,
                node.start,
                node.end,
                node.group,
                node.related,
            )
        )

    def _note(self, text: str) -> None:
        if text not in self.out.notes:
            self.out.notes.append(text)


def _line_end(raw: bytes, at: int, end: int) -> tuple[int, bool, bool]:
    """After a delimiter: the start of the next line, whether it is the closing one, whether it is a delimiter at
    all.
    """
    closing = raw.startswith(b"--", at, end)
    line = raw.find(b"\n", at, end)
    stop = line if line >= 0 else end
    rest = raw[at + 2 if closing else at : min(stop, at + 1_000)]
    if stop - at > 1_000 or rest.strip(b" \t\r"):
        return at, False, False
    return (stop + 1 if line >= 0 else end), closing, True


def _before_line(raw: bytes, begin: int, newline: int) -> int:
    """The end of a part: the line end before the delimiter belongs to the delimiter (RFC 2046 5.1.1)."""
    end = newline - 1 if newline > begin and raw[newline - 1 : newline + 1] == b"\r\n" else newline
    return max(begin, end)


def content(raw: bytes, part: Part) -> tuple[bytes, str]:
    """The decoded bytes of a leaf, and a sentence when they could not be had whole."""
    if part.encoding == "base64":
        body = memoryview(raw)[part.start : part.end]
        decoded, whole = base64_bytes(body)
        if whole and _stops_early(raw, part):
            whole = False
        return decoded, "" if whole else "Its encoding is broken, so it may not be whole."
    body_bytes = raw[part.start : part.end]
    if part.encoding == "quoted-printable":
        return binascii.a2b_qp(body_bytes), ""
    if part.encoding in ("x-uuencode", "uuencode", "x-uue", "uue"):
        return _uudecode(body_bytes)
    return body_bytes, ""


def _stops_early(raw: bytes, part: Part) -> bool:
    pad = raw.find(b"=", part.start, part.end)
    return pad >= 0 and bool(raw[pad : part.end].strip(b"=\r\n\t "))


_BEGIN_LINES = 200  # in which the line that begins an encoded file is looked for


def _uudecode(body: bytes) -> tuple[bytes, str]:
    lines = io.BytesIO(body)  # one line after the other: a list of them takes fifty times their size
    begins = any(line.startswith(b"begin ") for line in islice(lines, _BEGIN_LINES))
    if not begins:
        lines.seek(0)
    out = bytearray()
    for line in lines:
        encoded = line.rstrip(b"\r\n")
        if encoded.strip() == b"end":
            break
        try:
            out += binascii.a2b_uu(encoded)
        except binascii.Error:
            return bytes(out), "Its encoding is broken, so it may not be whole."
    return bytes(out), ""
