"""Old Word (.doc, 97 to 2003) and RTF files as lines of plain text, for suggestions and no more. Runs in the child.

Of a .doc the pieces of its text are read in their order, with the results of its fields; the state of boxes to tick lies elsewhere
in the file and is not read. Tables come as lines with a tab between two cells.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from intake.adapters.documents.limits import Limits
from intake.adapters.documents.matching import told
from intake.adapters.documents.named import Found, document
from intake.adapters.documents.say import problem
from intake.adapters.documents.sniff import DOC
from intake.adapters.documents.zipped import Refused
from intake.domain.model import ReadDocument

MOST_TEXT = 500_000  # characters
MOST_PIECES = 50_000
MOST_TOKENS = 1_000_000
_ODD = (OSError, ValueError, IndexError, TypeError, AttributeError, struct.error, RecursionError)


def read_old(media_type: str, raw: bytes, limits: Limits) -> ReadDocument:
    """Says that a person reads it, and whether it can open something. Never any answer."""
    found = Found()
    if media_type == DOC:
        try:
            with _opened(raw) as opened:
                streams = ["/".join(s) for s in opened.listdir(storages=True)]
            if any(re.search(r"ObjectPool/|Macros|_VBA", s) for s in streams):
                found.flags.append(problem("active_content"))
        except _ODD:
            return ReadDocument("", media_type, "none", problems=(problem("corrupt"),))
    elif _RUNS.search(raw):
        found.flags.append(problem("active_content"))
    return document(media_type, "none", found)


def find_old(media_type: str, raw: bytes) -> Found:
    """Pairs of its words. Raises Refused."""
    text = doc_text(raw) if media_type == DOC else rtf_text(raw)
    return Found(pairs=list(told(text.split("\n"))))


# ---- .doc -------------------------------------------------------------------------------------------------------------

_FIELDS = re.compile("\x13[^\x13\x14\x15]*\x14|\x13[^\x13\x14\x15]*\x15|\x15")
_MARKS = {"\r": "\n", "\x0b": "\n", "\x0c": "\n", "\x1e": "-", "\xa0": " "}


def _opened(raw: bytes):  # type: ignore[no-untyped-def]  # olefile has no types
    from olefile import OleFileIO

    return OleFileIO(io.BytesIO(raw))


def doc_text(raw: bytes) -> str:
    """The text of an old Word file. Raises Refused."""
    try:
        with _opened(raw) as opened:
            main = opened.openstream("WordDocument").read()
            (flags,) = struct.unpack_from("<H", main, 0x0A)
            table = opened.openstream("1Table" if flags & 0x0200 else "0Table").read()
        if flags & 0x0100:
            raise Refused("encrypted")
        place, size = struct.unpack_from("<II", main, 0x01A2)
        return _read_marks("".join(_pieces(main, table[place : place + size])))
    except _ODD as error:
        raise Refused("corrupt") from error


def _pieces(main: bytes, list_of: bytes) -> Iterator[str]:
    """The text in order: a list of pieces says where in the file each stands, and whether a letter takes one byte or two."""
    at = 0
    while list_of[at] == 1:  # changes of looks come first
        at += 3 + struct.unpack_from("<H", list_of, at + 1)[0]
    (size,) = struct.unpack_from("<I", list_of, at + 1)
    count = min((size - 4) // 12, MOST_PIECES)
    ends = struct.unpack_from(f"<{count + 1}I", list_of, at + 5)
    room = MOST_TEXT
    for n in range(count):
        (place,) = struct.unpack_from("<I", list_of, at + 5 + 4 * (count + 1) + 8 * n + 2)
        length = min(ends[n + 1] - ends[n], room)
        if length <= 0:
            continue
        room -= length
        start, narrow = place & 0x3FFFFFFF, place & 0x40000000
        if narrow:
            yield main[start // 2 : start // 2 + length].decode("cp1252", "replace")
        else:
            yield main[start : start + 2 * length].decode("utf-16-le", "replace")


def _read_marks(text: str) -> str:
    """Word's own marks as lines and tabs; of a field its result and not its instruction."""
    for _ in range(4):  # fields in fields
        text = _FIELDS.sub("", text)
    rows = text.replace("\x07\x07", "\n").replace("\x07", "\t")
    letters = "".join(_MARKS.get(c, c) for c in rows)
    return re.sub("[\x00-\x08\x0e-\x1f]", "", letters)


# ---- RTF --------------------------------------------------------------------------------------------------------------

_RUNS = re.compile(
    rb"\\obj(?:data|ect|update|autlink|emb)\b|\\\*\\template\b|\\fldinst[^}]{0,200}\bDDE(?:AUTO)?\b", re.I
)
_TOKEN = re.compile(
    rb"\\([a-z]{1,32})(-?[0-9]{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-z'])|([{}])|[\r\n]+|([^\\{}\r\n]+)|\\",
    re.IGNORECASE,
)
_UNSEEN = frozenset(
    b"fonttbl colortbl stylesheet info pict object header footer headerl headerr footerl footerr themedata latentstyles "
    b"datastore fldinst listtable listoverridetable rsidtbl generator xmlnstbl private background deleted".split()
)
_BREAKS = {b"par": "\n", b"line": "\n", b"row": "\n", b"sect": "\n", b"page": "\n", b"tab": "\t", b"cell": "\t"}
_LETTERS = {
    b"emdash": "—", b"endash": "–", b"lquote": "‘", b"rquote": "’", b"ldblquote": "“", b"rdblquote": "”", b"bullet": "•",
}  # fmt: skip


@dataclass(slots=True)
class _Group:
    unseen: bool = False
    after: int = 1  # letters that stand after a Unicode one for programs that do not know it


class _Rtf:
    """The text of an RTF file, token by token."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.group = _Group()
        self.groups: list[_Group] = []
        self.code_page = "cp1252"
        self.pass_over = 0  # letters still to pass over
        self.room = MOST_TEXT

    def say(self, text: str, letters: int = 1) -> None:
        if self.pass_over:
            passed = min(self.pass_over, letters)
            self.pass_over -= passed
            text = text[passed:]
        if not self.group.unseen and self.room > 0:
            self.out.append(text[: self.room])
            self.room -= len(text)

    def brace(self, which: bytes) -> None:
        self.pass_over = 0
        if which == b"{":
            self.groups.append(self.group)
            self.group = _Group(self.group.unseen, self.group.after)
        elif self.groups:
            self.group = self.groups.pop()

    def word(self, name: bytes, number: bytes) -> None:
        value = int(number or b"0")
        if name in _UNSEEN:
            self.group.unseen = True
        elif name == b"u":
            self.say(chr(value % 65536))
            self.pass_over = self.group.after
        elif name == b"uc":
            self.group.after = max(0, min(value, 10))
        elif name == b"ansicpg":
            self.code_page = f"cp{value}"
        elif name == b"v":
            self.group.unseen = self.group.unseen or number != b"0"
        elif not self.group.unseen:
            self.say(_BREAKS.get(name) or _LETTERS.get(name, ""), 0)

    def sign(self, sign: bytes) -> None:
        if sign == b"*":
            self.group.unseen = True
        elif sign in (b"\\", b"{", b"}"):
            self.say(sign.decode())
        elif sign in (b"~", b"_"):
            self.say(" " if sign == b"~" else "-")

    def octets(self, raw: bytes) -> None:
        try:
            self.say(raw[:MOST_TEXT].decode(self.code_page, "replace"), len(raw))
        except LookupError:
            self.say("\ufffd" * min(len(raw), MOST_TEXT), len(raw))


def rtf_text(raw: bytes) -> str:
    """The words of an RTF file that a person sees. Raises Refused."""
    read = _Rtf()
    for count, token in enumerate(_TOKEN.finditer(raw)):
        if count > MOST_TOKENS:
            raise Refused("too_costly")
        word, number, code, sign, brace, plain = token.groups()
        if word:
            read.word(word, number)
        elif code:
            read.octets(bytes([int(code, 16)]))
        elif sign:
            read.sign(sign)
        elif brace:
            read.brace(brace)
        elif plain and not read.group.unseen:
            read.octets(plain)
    halves = "".join(read.out).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return re.sub(r"\t+\n", "\n", halves)
