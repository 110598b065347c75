"""Office files that are small and cost much, or that two programs read in two ways. Each in a few lines."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
from collections.abc import Callable

from forms import load
from forms.word.blank import fill
from intake.adapters.documents.sniff import DOC, DOCX, ODS, ODT, RTF, XLS, XLSX
from tests.documents.office_files import W, doc, docx, open_part, opened, packed, parts_of, record, xls, xlsx
from tests.support.compound_file import compound_file

NOTICE = load.form("breach-notice")
GOOD = fill(NOTICE, {"A01": "Te Whare"})
MAIN = "word/document.xml"
LAUGHS = (
    "<!DOCTYPE w [<!ENTITY a0 'ha'>"
    + "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10))
    + f']><w:document xmlns:w="{W}"><w:body><w:p><w:r><w:t>&a9;</w:t></w:r></w:p></w:body></w:document>'
)


def main_part(content: bytes) -> bytes:
    return packed(parts_of(GOOD) | {MAIN: content})


def zip_bomb() -> bytes:
    return main_part(b" " * 400_000_000)


def zip_bomb_that_lies() -> bytes:
    """The stated size is small; what comes out is not."""
    made = bytearray(main_part(b" " * 100_000_000))
    for size in (struct.pack("<I", 100_000_000),):
        at = made.find(size)
        while at >= 0:
            made[at : at + 4] = struct.pack("<I", 5_000)
            at = made.find(size, at + 4)
    return bytes(made)


def many_parts(count: int = 100_000) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name in range(count):
            made.writestr(f"word/{name}.xml", b"")
        made.writestr(MAIN, b"<x/>")
    return out.getvalue()


def some_parts() -> bytes:
    return many_parts(1_500)


def billion_laughs() -> bytes:
    return main_part(LAUGHS.encode())


def billion_laughs_in_utf_16() -> bytes:
    return main_part(f'<?xml version="1.0" encoding="UTF-16"?>{LAUGHS}'.encode("utf-16"))


def billion_laughs_in_utf_7() -> bytes:
    return main_part(b'<?xml version="1.0" encoding="UTF-7"?>' + LAUGHS.encode("utf-7"))


def outside_entity() -> bytes:
    return main_part(b'<!DOCTYPE w [<!ENTITY f SYSTEM "file:///etc/hostname">]><w>&f;</w>')


def deep() -> bytes:
    return main_part(b"<w>" * 100_000 + b"</w>" * 100_000)


def long_text() -> bytes:
    return docx("<w:p><w:r><w:t>" + "Kia ora. " * 5_500_000 + "</w:t></w:r></w:p>")


def text_in_one_piece() -> bytes:
    return docx("<w:p><w:r><w:t>" + "".join(f"{n} " for n in range(2_600_000)) + "</w:t></w:r></w:p>")


def text_in_one_control() -> bytes:
    word = "<w:r><w:t>" + "".join(f"{n} " for n in range(4_000)) + "</w:t></w:r>"
    return docx(
        f'<w:sdt><w:sdtPr><w:tag w:val="A06"/></w:sdtPr><w:sdtContent><w:p>{word * 500}</w:p></w:sdtContent></w:sdt>'
    )


def many_controls(count: int = 200_000) -> bytes:
    each = "".join(f'<w:sdt><w:sdtPr><w:tag w:val="x{n}"/></w:sdtPr></w:sdt>' for n in range(count))
    return packed(parts_of(GOOD) | {MAIN: f'<w:document xmlns:w="{W}">{each}</w:document>'.encode()})


def million_controls() -> bytes:
    return many_controls(1_000_000)


def many_elements() -> bytes:
    return docx("<w:p/>" * 3_000_000)


def many_names() -> bytes:
    return docx("".join(f"<n{n}/>" for n in range(399_000)))


def many_attributes() -> bytes:
    return docx("<w:p " + " ".join(f'a{n}="b"' for n in range(800_000)) + "/>")


def controls_in_controls() -> bytes:
    return docx('<w:sdt><w:sdtPr><w:tag w:val="A01"/></w:sdtPr><w:sdtContent>' * 100 + "</w:sdtContent></w:sdt>" * 100)


def two_of_a_name() -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        out = io.BytesIO(GOOD)
        with zipfile.ZipFile(out, "a") as made:
            made.writestr(MAIN, parts_of(fill(NOTICE, {"A01": "Another"}))[MAIN])
    return out.getvalue()


def two_of_a_name_but_for_case() -> bytes:
    return packed(parts_of(GOOD) | {"Word/Document.xml": parts_of(GOOD)[MAIN]})


def one_part_locked() -> bytes:
    made = bytearray(GOOD)
    at = made.find(b"PK\x01\x02")
    made[at + 8] |= 1
    return bytes(made)


def cut_off() -> bytes:
    return GOOD[: len(GOOD) // 2]


def without_its_list() -> bytes:
    return GOOD[: GOOD.find(b"PK\x01\x02")]


def something_before() -> bytes:
    """Two files in one: what stands before a ZIP is another program's file."""
    return b"PK\x03\x04 and more of it" + GOOD


def another_way_of_packing() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_LZMA) as made:
        for name, content in parts_of(GOOD).items():
            made.writestr(name, content)
    return out.getvalue()


def relations_in_a_circle() -> bytes:
    space = "http://schemas.openxmlformats.org/package/2006/relationships"
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/footer"
    each = "".join(f'<Relationship Id="r{n}" Type="{kind}" Target="document.xml"/>' for n in range(1_000))
    parts = parts_of(GOOD)
    circle = f'<Relationships xmlns="{space}">{each}</Relationships>'.encode()
    parts |= {f"word/_rels/footer{n}.xml.rels": circle for n in range(60)}
    return packed(parts | {"word/_rels/document.xml.rels": circle})


def no_xml() -> bytes:
    return main_part(bytes(range(256)) * 100)


def no_main_part() -> bytes:
    return packed({"word/document.xml.rels": b"", "word/_rels/document.xml.rels": b"<x/>"})


def far_cells() -> bytes:
    book = parts_of(xlsx([["id", "question", "answer"], ["A01", "", "Te Whare"]]))
    name = "xl/worksheets/sheet1.xml"
    return packed(book | {name: book[name].replace(b'r="A2"', b'r="XFD1048576"')})


def cells_that_hide_their_place() -> bytes:
    book = parts_of(xlsx([["a"]]))
    rows = b"<row><c><v>1</v></c></row>" * 9 + b"<row>" + b"<c><v>1</v></c>" * 9_000 + b"</row>"
    start = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    return packed(book | {"xl/worksheets/sheet1.xml": start + rows * 30 + b"</sheetData></worksheet>"})


def sheet_bomb() -> bytes:
    book = parts_of(xlsx([["a"]]))
    return packed(book | {"xl/sharedStrings.xml": b"<sst>" + b"<si><t>a</t></si>" * 6_000_000 + b"</sst>"})


def one_text_in_every_cell() -> bytes:
    book = parts_of(xlsx([["a"]]))
    cells = b"".join(b'<c r="A%d" t="s"><v>0</v></c>' % n for n in range(1, 5_001))
    start = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row>'
    texts = b"<sst><si><t>" + b"Kia ora. " * 100_000 + b"</t></si></sst>"
    sheet = {"xl/worksheets/sheet1.xml": start + cells + b"</row></sheetData></worksheet>"}
    return packed(book | sheet | {"xl/sharedStrings.xml": texts})


def sheet_that_is_none() -> bytes:
    return packed({"xl/workbook.xml": b"<workbook/>", "xl/worksheets/sheet1.xml": b"\x00\x01"})


def old_far_cells() -> bytes:
    return xls([["a"]], record(0x0204, struct.pack("<HHHHB", 65535, 65535, 0, 1, 0) + b"x"))


def old_many_records() -> bytes:
    return compound_file(
        {"Workbook": record(0x0809, struct.pack("<HHHHII", 0x600, 5, 0, 0, 0, 6)) + record(1, b"") * 700_000}
    )


def old_many_strings() -> bytes:
    """A list of texts that says it has four thousand million of them."""
    begin = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0x0DBB, 0x07CC, 0, 6))
    return compound_file(
        {"Workbook": (begin + record(0x00FC, struct.pack("<II", 2**32 - 1, 2**32 - 1))).ljust(5000, b"\0")}
    )


def open_repeats() -> bytes:
    row = '<table:table-row table:number-rows-repeated="1048576">'
    cell = '<table:table-cell table:number-columns-repeated="16384"><text:p>x</text:p></table:table-cell>'
    return opened("spreadsheet", f"<table:table>{f'{row}{cell}</table:table-row>' * 20_000}</table:table>")


def open_laughs() -> bytes:
    return packed({"mimetype": ODT.encode(), "content.xml": LAUGHS.encode()})


def open_spaces() -> bytes:
    return opened("text", "<text:p>" + '<text:s text:c="99999999"/>' * 1_000 + "</text:p>")


def open_marks() -> bytes:
    marks = "".join(f'<text:bookmark-start text:name="m{n}"/>word' for n in range(100_000))
    return packed({"mimetype": ODT.encode(), "content.xml": open_part("document-content", f"<text:p>{marks}</text:p>")})


def rtf_in_groups() -> bytes:
    return b"{\\rtf1" + b"{" * 3_000_000


def rtf_of_pictures() -> bytes:
    return b"{\\rtf1{\\pict " + b"89504e47" * 4_000_000 + b"}Your name: Mere\\par}"


def doc_of_one_piece_again_and_again() -> bytes:
    return doc(*["What happened? A letter went astray.\r"] * 9_000)


def doc_that_points_outside() -> bytes:
    made = bytearray(doc("Kia ora"))
    at = made.find(struct.pack("<H", 0xA5EC))
    struct.pack_into("<II", made, at + 0x01A2, 2**31, 2**31)
    return bytes(made)


def doc_without_text() -> bytes:
    return compound_file({"WordDocument": b"\xec\xa5" + bytes(20)})


# Each with its kind and the codes of which one must be there; none: it is read, and has no problem beyond not being ours.
BOMBS: tuple[tuple[Callable[[], bytes], str, frozenset[str]], ...] = tuple(
    (make, kind, frozenset(codes.split()))
    for make, kind, codes in (
        (zip_bomb, DOCX, "too_costly"),
        (zip_bomb_that_lies, DOCX, "corrupt"),
        (many_parts, DOCX, "too_costly"),
        (some_parts, DOCX, "too_costly"),
        (billion_laughs, DOCX, "corrupt"),
        (billion_laughs_in_utf_16, DOCX, "corrupt"),
        (billion_laughs_in_utf_7, DOCX, "corrupt"),
        (outside_entity, DOCX, "corrupt"),
        (deep, DOCX, "too_costly"),
        (long_text, DOCX, "too_costly"),
        (text_in_one_piece, DOCX, "not_our_form"),
        (text_in_one_control, DOCX, "not_our_form"),
        (many_controls, DOCX, "too_many_fields"),
        (million_controls, DOCX, "too_costly"),
        (many_elements, DOCX, "too_costly"),
        (many_names, DOCX, "not_our_form"),
        (many_attributes, DOCX, "not_our_form"),
        (controls_in_controls, DOCX, "not_our_form"),
        (two_of_a_name, DOCX, "corrupt"),
        (two_of_a_name_but_for_case, DOCX, "corrupt"),
        (one_part_locked, DOCX, "encrypted"),
        (cut_off, DOCX, "corrupt"),
        (without_its_list, DOCX, "corrupt"),
        (something_before, DOCX, "corrupt"),
        (another_way_of_packing, DOCX, "corrupt"),
        (relations_in_a_circle, DOCX, ""),
        (no_xml, DOCX, "corrupt"),
        (no_main_part, DOCX, "corrupt"),
        (far_cells, XLSX, "too_costly"),
        (cells_that_hide_their_place, XLSX, "too_costly"),
        (sheet_bomb, XLSX, "too_costly"),
        (one_text_in_every_cell, XLSX, "too_costly"),
        (sheet_that_is_none, XLSX, "corrupt"),
        (cut_off, XLSX, "corrupt"),
        (old_far_cells, XLS, "too_costly"),
        (old_many_records, XLS, "too_costly"),
        (old_many_strings, XLS, "not_our_form"),
        (open_repeats, ODS, "not_our_form"),
        (open_laughs, ODT, "corrupt"),
        (open_spaces, ODT, "not_our_form"),
        (open_marks, ODT, "not_our_form"),
        (cut_off, ODT, "corrupt"),
        (rtf_in_groups, RTF, "not_our_form"),
        (rtf_of_pictures, RTF, "not_our_form"),
        (doc_of_one_piece_again_and_again, DOC, "not_our_form"),
        (doc_that_points_outside, DOC, "not_our_form"),
        (doc_without_text, DOC, "not_our_form"),
    )
)
