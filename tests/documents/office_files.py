"""Office files as people and programs send them, each made in a few lines: none comes from anywhere else."""

from __future__ import annotations

import io
import re
import struct
import zipfile
from collections.abc import Callable, Mapping, Sequence
from html import escape

from forms.pdf.plan import plan
from forms.schema import Form, Kind
from forms.word.blank import fill
from intake.adapters.documents.named import field_question
from intake.adapters.documents.opendocument_text import SPACES
from intake.adapters.documents.sniff import OPEN
from tests.support.compound_file import compound_file

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
Values = Mapping[str, str | list[str] | bool]


def parts_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def packed(parts: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():  # the kind of an OpenDocument file stands plain at its beginning
            made.writestr(name, content, zipfile.ZIP_STORED if name == "mimetype" else None)
    return out.getvalue()


def changed(content: bytes, change: Callable[[str], str], name: str = "word/document.xml") -> bytes:
    """The file with one part written anew."""
    parts = parts_of(content)
    return packed(parts | {name: change(parts[name].decode()).encode()})


def without(content: bytes, name: str) -> bytes:
    return packed({n: part for n, part in parts_of(content).items() if n != name})


def replaced(content: bytes, old: str, new: str, name: str = "word/document.xml") -> bytes:
    def change(text: str) -> str:
        assert old in text, old
        return text.replace(old, new)

    return changed(content, change, name)


def inside(form: Form, field: str, xml: str) -> bytes:
    """The form with this XML as the content of one control."""

    def change(text: str) -> str:
        pattern = rf'(<w:tag w:val="{re.escape(field)}"/>.*?<w:sdtContent>).*?(</w:sdtContent>)'
        asked = "<w:showingPlcHdr/>"
        return re.sub(pattern, lambda m: f"{m[1].replace(asked, '')}{xml}{m[2]}", text, count=1, flags=re.DOTALL)

    return changed(fill(form, {}), change)


def docx(body: str, **more: str) -> bytes:
    """Somebody's Word file."""
    parts = {"word/document.xml": f'<w:document xmlns:w="{W}"><w:body>{body}</w:body></w:document>'} | more
    return packed({name: part.encode() for name, part in parts.items()})


def lines(*texts: str) -> str:
    return "".join(f"<w:p><w:r><w:t>{escape(text)}</w:t></w:r></w:p>" for text in texts)


def table(*rows: Sequence[str]) -> str:
    cells = ("".join(f"<w:tc>{lines(cell)}</w:tc>" for cell in row) for row in rows)
    return "<w:tbl>" + "".join(f"<w:tr>{row}</w:tr>" for row in cells) + "</w:tbl>"


def as_another_program_saves_it(content: bytes) -> bytes:
    """Controls kept, but written in another order, with words cut into runs, and without the properties of the file."""

    def change(text: str) -> str:
        text = re.sub(r'<w:lock w:val="\w+"/>', "", text)
        text = re.sub(r"(<w:alias [^>]*/>)(<w:tag [^>]*/>)(<w:id [^>]*/>)", r'\3<w15:color w:val="FF"/>\2\1', text)
        text = text.replace(
            "<w:document ", '<w:document xmlns:w15="http://schemas.microsoft.com/office/word/2012/wordml" '
        )
        cut = r"<w:r><w:rPr/>\1</w:r><w:proofErr w:type='spellStart'/><w:r w:rsidR='00AB'>\2</w:r>"
        run = r'<w:r>(<w:t xml:space="preserve">[^<&]{2}?)([^<]+</w:t>)</w:r>'
        return re.sub(run, cut.replace(r"\1", r"\1</w:t>").replace(r"\2", r'<w:t xml:space="preserve">\2'), text)

    return without(changed(content, change), "docProps/custom.xml")


def without_controls(content: bytes) -> bytes:
    """What remains when a program knows no controls: the words that stood in them."""
    gone = r"<w:sdt>|</w:sdt>|<w:sdtPr>.*?</w:sdtPr>|</?w:sdtContent>"
    return changed(content, lambda text: re.sub(gone, "", text, flags=re.DOTALL))


# ---- OpenDocument -----------------------------------------------------------------------------------------------------

_DECLARED = " ".join(f'xmlns:{short[:-1]}="{space}"' for space, short in SPACES.items())


def open_part(root: str, content: str) -> bytes:
    return f"<office:{root} {_DECLARED}>{content}</office:{root}>".encode()


def opened(kind: str, body: str, meta: Mapping[str, str] | None = None, **more: str) -> bytes:
    """An OpenDocument file of this kind with this body."""
    added = "".join(f'<meta:user-defined meta:name="{k}">{v}</meta:user-defined>' for k, v in (meta or {}).items())
    parts = {
        "mimetype": f"{OPEN}{kind}".encode(),
        "content.xml": open_part(
            "document-content", f"<office:body><office:{kind}>{body}</office:{kind}></office:body>"
        ),
        "meta.xml": open_part("document-meta", f"<office:meta>{added}</office:meta>"),
    }
    return packed(parts | {name: part.encode() for name, part in more.items()})


def hidden(form: Form) -> dict[str, str]:
    return {"_form": form.kind, "_edition": form.edition}


def open_control(form: Form, name: str, values: Values) -> str:
    """A content control as LibreOffice writes it."""
    question, value = field_question(form, name), values.get(name)
    assert question is not None
    if question.kind in (Kind.MULTI, Kind.TICK):
        on = str(value is True).lower()
        state = f'loext:checkbox="true" loext:checked="{on}"'
        return f'<loext:content-control {state} loext:tag="{name}">{"☒" if value else "☐"}</loext:content-control>'
    choice = question.choice(str(value))
    shown = choice.label if choice else str(value or "")
    items = "".join(
        f'<loext:list-item loext:display-text="{escape(c.label)}" loext:value="{escape(c.code)}"/>'
        for c in question.choices
    )
    text = escape(shown, quote=False).replace("\n", "<text:line-break/>") or "Click here"
    empty = "" if shown else ' loext:showing-place-holder="true"'
    return f'<loext:content-control{empty} loext:tag="{name}">{items}{text}</loext:content-control>'


def odt(form: Form, values: Values) -> bytes:
    """Our Word file as LibreOffice saves it in its own format; only the controls."""
    names = dict.fromkeys(field.name for field in plan(form).fields)
    body = "".join(f"<text:p>{open_control(form, name, values)}</text:p>" for name in names)
    return opened("text", body, hidden(form))


def ods(rows: Sequence[Sequence[str]]) -> bytes:
    def cell(text: str) -> str:
        return f"<table:table-cell><text:p>{escape(text)}</text:p></table:table-cell>"

    each = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
    return opened("spreadsheet", f"<table:table>{each}</table:table>")


# ---- sheets -----------------------------------------------------------------------------------------------------------


def xlsx(rows: Sequence[Sequence[object]]) -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def record(kind: int, content: bytes) -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def xls(rows: Sequence[Sequence[str]], more: bytes = b"") -> bytes:
    """An old workbook of texts: two streams of records, the second the sheet's."""
    begin = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0x0DBB, 0x07CC, 0, 6))
    sheet = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0x0DBB, 0x07CC, 0, 6)) + more
    for r, row in enumerate(rows):
        for c, text in enumerate(row):
            wide = text.encode("utf-16-le")
            sheet += record(0x0204, struct.pack("<HHHHB", r, c, 0, len(text), 1) + wide)
    name = b"Sheet1"
    place = len(begin) + 4 + 8 + len(name) + 4
    listed = record(0x0085, struct.pack("<IBBBB", place, 0, 0, len(name), 0) + name)
    return compound_file({"Workbook": begin + listed + record(0x000A, b"") + sheet + record(0x000A, b"")})


def answers_sheet(form: Form, values: Values) -> list[list[str]]:
    """Our layout."""
    top = [["id", "question", "answer"], ["_form", "", form.kind], ["_edition", "", form.edition]]
    each = [[name, "What we ask", "yes" if value is True else str(value)] for name, value in values.items()]
    return top + each


# ---- old Word ---------------------------------------------------------------------------------------------------------


def doc(*pieces: str, **more: bytes) -> bytes:
    """An old Word file whose text lies in these pieces, one byte a letter where that is enough."""
    body, table, ends = bytearray(1024), b"", [0]
    for piece in pieces:
        narrow = all(ord(c) < 128 for c in piece)
        place = len(body) * 2 | 0x40000000 if narrow else len(body)
        body += piece.encode("cp1252" if narrow else "utf-16-le")
        ends.append(ends[-1] + len(piece))
        table += struct.pack("<HIH", 0, place, 0)
    struct.pack_into("<H", body, 0, 0xA5EC)
    struct.pack_into("<H", body, 0x0A, 0x0200)
    listed = struct.pack(f"<{len(ends)}I", *ends) + table
    looks = b"\x01" + struct.pack("<H", 3) + b"abc"
    clx = looks + b"\x02" + struct.pack("<I", len(listed)) + listed
    struct.pack_into("<II", body, 0x01A2, 0, len(clx))
    return compound_file({"WordDocument": bytes(body).ljust(4096, b"\0"), "1Table": clx.ljust(4096, b"\0"), **more})
