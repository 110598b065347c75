"""Text out of hostile bytes: charsets, encoded words, parameters, HTML. Nothing here raises for any input, and all
of it is linear.

The standard library's readers are not used: they raise on real mail and are quadratic on hostile mail (CPython issue
136063).
"""

from __future__ import annotations

import binascii
import re
import unicodedata

_CHARSETS = re.compile(
    r"(?:utf-?8|utf-?16(?:le|be)?|utf-?32(?:le|be)?|us-ascii|ascii|ansi_x3\.4-1968|iso-?8859-(?:[1-9]|1[0-6])|latin-?1|"
    r"windows-125[0-8]|cp(?:437|8(?:50|52|58|6[0-6]|74)|93[26]|949|950|125[0-8])|koi8-[rtu]|mac(?:intosh|-?roman)|"
    r"shift[_-]jis|euc-(?:jp|kr)|iso-2022-(?:jp|jp-[123]|jp-2004|jp-ext|kr)|gb2312|gbk|gb18030|hz|big5(?:-?hkscs)?|tis-620|johab)",
    re.I,
)
# Names that mail programs write and Python does not know; and of a family of charsets the widest, which reads them all.
_MEANT = {
    "unicode-1-1-utf-8": "utf-8", "utf8mb4": "utf-8", "cp65001": "utf-8", "windows-65001": "utf-8", "ansi": "windows-1252",
    "ks_c_5601-1987": "cp949", "ks_c_5601-1989": "cp949", "ksc5601": "cp949", "windows-949": "cp949", "euc-kr": "cp949",
    "x-sjis": "cp932", "windows-31j": "cp932", "shift_jis": "cp932", "shift-jis": "cp932", "x-ms-cp932": "cp932",
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "windows-936": "gb18030", "cp936": "gb18030",
    "hz-gb-2312": "hz", "x-euc-jp": "euc-jp", "x-big5": "big5-hkscs", "big5": "big5-hkscs", "windows-950": "big5-hkscs",
    "iso-8859-8-i": "iso-8859-8", "iso-8859-8-e": "iso-8859-8", "iso-2022-jp": "iso-2022-jp-ext",
    "windows-874": "cp874", "macintosh": "mac-roman", "x-mac-roman": "mac-roman", "macroman": "mac-roman",
}  # fmt: skip
_SURE = 4  # letters beyond ASCII that must be right for one that is wrong, before a charset is believed
_LATIN = re.compile(r"(?:us-ascii|ascii|ansi_x3\.4-1968|iso-?8859-1|latin-?1|windows-1252|cp1252)", re.I)
_WORD = re.compile(rb"=\?([^?\s]{1,60})\?([bBqQ])\?([^?\r\n]{0,2000})\?=")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f]")
_FOLD = re.compile(rb"\r?\n[ \t]*")
_PARAM = re.compile(rb';[ \t\r\n]*([^\s=;"]{1,60})[ \t\r\n]*=[ \t\r\n]*("(?:[^"\\]++|\\.)*+"?|[^;]*+)', re.S)
_NO_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))
HEADER_TEXT = 8_192  # bytes of one header value that are decoded for people


def decode(raw: bytes, charset: str = "") -> str:
    """`raw` as text by its declared charset; where that lies, UTF-8, and then Windows-1252. Never raises.

    A Latin charset over bytes that are valid UTF-8 is a lie in practice: macrons are lost otherwise. A charset that nobody may send
    (UTF-7 hides words from whoever looks for them) or that we do not know counts as none.
    """
    stated = charset.strip().strip("\"'").lower()
    name = _MEANT.get(stated, stated)
    if raw.isascii() and not name.startswith(("iso-2022", "utf-16", "utf16", "utf-32", "utf32", "hz")):
        return raw.decode("ascii")
    known = bool(name and _CHARSETS.fullmatch(name) and not _LATIN.fullmatch(name))
    for each in (name, "utf-8") if known else ("utf-8",):
        text = _mostly(raw, each)
        if text is not None:
            return text
    return raw.decode("cp1252", "replace")


def _mostly(raw: bytes, name: str) -> str | None:
    """`raw` in that charset, with a sign for each letter that is broken; None when too many are, or there is no such charset."""
    try:
        return raw.decode(name)
    except UnicodeError:
        text = raw.decode(name, "replace")
    except LookupError:
        return None
    wrong = text.count("\ufffd")
    beyond = len(text) - len(text.encode("ascii", "ignore")) - wrong
    return text if beyond >= _SURE * wrong else None


def unfold(value: bytes) -> bytes:
    """A header value on one line."""
    return _FOLD.sub(b" ", value).strip() if b"\n" in value else value.strip()


def decode_header(value: bytes, limit: int = HEADER_TEXT) -> str:
    """The text of a header value: encoded words (RFC 2047) decoded, raw bytes guessed, one line, no control
    characters.
    """
    flat = unfold(value)[:limit]
    text = decode(flat) if b"=?" not in flat else _decode_words(flat)
    return clean_line(text)


def clean_line(text: str) -> str:
    """`text` in NFC on one line without control characters."""
    plain = text.replace("\r", " ").replace("\n", " ").replace("\t", " ")
    return unicodedata.normalize("NFC", _CONTROL.sub("", plain)).strip()


def _decode_words(flat: bytes) -> str:
    out: list[str] = []
    pending, charset = b"", ""
    end = 0
    for match in _WORD.finditer(flat):
        between = flat[end : match.start()]
        name = match[1].split(b"*", 1)[0].decode("ascii", "replace").lower()
        # blanks between two encoded words are not text; the bytes of one character may be split over two words
        if pending and (between.strip() or name != charset):
            out.append(decode(pending, charset))
            pending = b""
        if between.strip() or (end == 0 and between):
            out.append(decode(between))
        pending += _word_bytes(match[2], match[3])
        charset, end = name, match.end()
    if pending:
        out.append(decode(pending, charset))
    out.append(decode(flat[end:]))
    return "".join(out)


def _word_bytes(kind: bytes, payload: bytes) -> bytes:
    if kind in b"qQ":
        return binascii.a2b_qp(payload, header=True)
    return base64_bytes(payload)[0]


def base64_bytes(raw: bytes | memoryview) -> tuple[bytes, bool]:
    """The decoded bytes and whether they are whole. Broken base64 gives what can be had of it."""
    try:
        return binascii.a2b_base64(raw), True
    except binascii.Error:
        kept = bytes(raw).translate(
            None, _NO_BASE64
        )  # not a pattern: it makes a piece of memory for each letter that it takes out
        kept = kept[: len(kept) - 1] if len(kept) % 4 == 1 else kept
        try:
            return binascii.a2b_base64(kept + b"=" * (-len(kept) % 4)), False
        except binascii.Error:
            return b"", False


def parameters(value: bytes, limit: int = 50) -> tuple[str, dict[str, str], bool]:
    """A structured value: its first token in lower case, its parameters (names in lower case, the first of each), and
    whether all of them were read. RFC 2231 continuations and charsets are joined and decoded.
    """
    flat = unfold(value[:65_536])
    head, _, rest = flat.partition(b";")
    token = decode_header(head).split(" ", 1)[0].split("(", 1)[0].lower()
    raw: dict[str, bytes] = {}
    quoted: set[str] = set()
    whole = True
    for count, match in enumerate(_PARAM.finditer(b";" + rest)):
        if count >= limit:
            whole = False
            break
        name = match[1].decode("ascii", "replace").lower()
        if name in raw:
            continue
        text = match[2].strip()
        if text.startswith(b'"'):
            quoted.add(name)
            text = re.sub(rb"\\(.)", rb"\1", text[1:-1] if text.endswith(b'"') and len(text) > 1 else text[1:])
        raw[name] = text
    return token, _joined(raw), whole


def _joined(raw: dict[str, bytes]) -> dict[str, str]:
    out: dict[str, str] = {}
    pieces: dict[str, list[tuple[int, bool, bytes]]] = {}
    for name, text in raw.items():
        base, star, rest = name.partition("*")
        if not star:
            out.setdefault(base, decode_header(text))
            continue
        number = rest.rstrip("*")
        if number and not number.isdecimal():
            continue
        pieces.setdefault(base, []).append((int(number[:4] or 0), rest.endswith("*") or not rest, text))
    for base, parts in pieces.items():
        out[base] = _rfc2231(sorted(parts))
    return out


def _rfc2231(parts: list[tuple[int, bool, bytes]]) -> str:
    charset, joined = "", b""
    if b"=?" in parts[0][2] and not any(encoded for _, encoded, _ in parts):
        return decode_header(b"".join(text for _, _, text in parts))  # two ways of writing a name, one inside the other
    for place, (_, encoded, text) in enumerate(parts):
        if encoded and place == 0 and text.count(b"'") >= 2:
            name, _, text = text.split(b"'", 2)
            charset = name.decode("ascii", "replace")
        joined += _percent(text) if encoded else text
    return clean_line(decode(joined[:HEADER_TEXT], charset))


def _percent(text: bytes) -> bytes:
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda m: bytes((int(m[1], 16),)), text)


# ---- invitations ------------------------------------------------------------------------------------------------------

_TOLD = re.compile(r"^(?:SUMMARY|DESCRIPTION)(?:;[^:\n]{0,200})?:(.*)$", re.I | re.M)
_ESCAPE = re.compile(r"\\(.)")


def calendar_words(raw: bytes) -> str:
    """The summary and the description of an invitation (RFC 5545 3.8.1), a line each."""
    lines = re.sub(r"\r?\n[ \t]", "", decode(raw)).replace("\r", "")
    told = (_ESCAPE.sub(lambda m: "\n" if m[1] in "nN" else m[1], words).strip() for words in _TOLD.findall(lines))
    return "\n".join(dict.fromkeys(words for words in told if words))


# ---- HTML to text -----------------------------------------------------------------------------------------------------

_BLOCK = frozenset(
    [
        "p",
        "div",
        "br",
        "tr",
        "table",
        "ul",
        "ol",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "blockquote",
        "hr",
        "section",
        "article",
        "pre",
        "header",
        "footer",
        "dl",
        "dt",
        "dd",
    ]
)
_TAGS = 50_000  # a page with more is no letter; the rest is left out
_DROPPED = ("script", "style", "head", "title", "template")
_TAG_NAME = re.compile(r"/?([a-zA-Z][a-zA-Z0-9]{0,15})")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});?")


def html_to_text(html: str, limit: int = 500_000) -> str:
    """What a reader of the page sees, as lines of text. Nothing is fetched, nothing is kept of the markup."""
    from html import unescape  # its table of entities is not needed for most mail

    html = html[:limit]
    out: list[str] = []
    at, lower = 0, html.lower()
    open_head = "</head" not in lower  # an unclosed head hides nothing but itself
    for _ in range(_TAGS):
        start = html.find("<", at)
        if start < 0:
            out.append(_spaces(html[at:]))
            break
        out.append(_spaces(html[at:start]))
        at, mark = _after_tag(html, lower, start, open_head)
        out.append(mark)
        if at < 0:
            break
    text = _ENTITY.sub(lambda m: unescape(m[0]), "".join(out)).replace("\xa0", " ")
    lines = (re.sub(r" {2,}", " ", line).strip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _spaces(text: str) -> str:
    return text.replace("\r", " ").replace("\n", " ").replace("\t", " ")


def _after_tag(html: str, lower: str, start: int, open_head: bool) -> tuple[int, str]:
    """Where the text goes on after the tag at `start` (-1: nowhere), and what stands for the tag."""
    if html.startswith("<!--", start):
        return _past(html, "-->", start + 4), ""
    name = _TAG_NAME.match(html, start + 1)
    if name is None:
        is_markup = html[start + 1 : start + 2] in ("!", "?")
        return (_past(html, ">", start), "") if is_markup else (start + 1, "<")
    tag, opening = name[1].lower(), html[start + 1] != "/"
    end = _tag_end(html, start)
    if end < 0:
        return -1, ""
    if opening and tag in _DROPPED and not (tag == "head" and open_head):
        close = lower.find(f"</{tag}", end)  # an unclosed script hides the rest, as in a browser
        return (_past(html, ">", close) if close >= 0 else -1), ""
    if tag == "li":
        return end + 1, "\n- " if opening else ""
    if tag in ("td", "th"):
        return end + 1, " "
    return end + 1, "\n" if tag in _BLOCK else ""


def _past(html: str, mark: str, start: int) -> int:
    end = html.find(mark, start)
    return end + len(mark) if end >= 0 else -1


def _tag_end(html: str, start: int) -> int:
    end = html.find(">", start)
    if end >= 0 and html.count('"', start, end) % 2:  # a ">" inside a quoted attribute
        quote = html.find('"', end, end + 2_000)
        closing = html.find(">", quote, quote + 2_000) if quote >= 0 else -1
        return closing if closing >= 0 else end
    return end
