"""WordprocessingML by the piece: text, runs, paragraphs, tables. Every text that goes in is escaped here and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
W14 = "http://schemas.microsoft.com/office/word/2010/wordml"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
WIDE = 9864  # twentieths of a point between the margins of the page


def plain(text: str) -> str:
    """Text for an element or an attribute; a character that XML has no place for becomes a mark."""
    return escape(_NOT_XML.sub("\ufffd", text))


def run(text: str, style: str = "") -> str:
    """Words of one look; a line feed is a line break, a tab a tab."""
    look = f'<w:rPr><w:rStyle w:val="{style}"/></w:rPr>' if style else ""
    return f"<w:r>{look}{_letters(text)}</w:r>" if text else ""


def _letters(text: str) -> str:
    pieces = re.split(r"([\n\t])", text)
    marks = {"\n": "<w:br/>", "\t": "<w:tab/>"}
    return "".join(marks.get(p) or f'<w:t xml:space="preserve">{plain(p)}</w:t>' for p in pieces if p)


def paragraph(style: str, *inside: str) -> str:
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr>{"".join(inside)}</w:p>'


def table(head: Sequence[str], rows: Iterable[Sequence[str]], share: float) -> str:
    """Two columns, the first `share` of the width. The head is marked, so that it is read with each cell and stands on each page.

    head: words. rows: paragraphs of each cell.
    """
    left = round(WIDE * share)
    widths = (left, WIDE - left)
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    top = [paragraph("TableHead", run(words)) for words in head]
    return (
        f'<w:tbl><w:tblPr><w:tblStyle w:val="Answers"/><w:tblW w:w="{WIDE}" w:type="dxa"/><w:tblLayout w:type="fixed"/>'
        '<w:tblLook w:val="0020" w:firstRow="1" w:lastRow="0" w:firstColumn="0" w:lastColumn="0" w:noHBand="1" w:noVBand="1"/>'
        f"</w:tblPr><w:tblGrid>{grid}</w:tblGrid>"
        + _row(top, widths, "<w:tblHeader/>")
        + "".join(_row(row, widths) for row in rows)
        + "</w:tbl>"
        + paragraph("After")
    )


def _row(cells: Sequence[str], widths: Sequence[int], more: str = "") -> str:
    each = (
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/></w:tcPr>{cell}</w:tc>'
        for cell, width in zip(cells, widths, strict=True)
    )
    return f"<w:tr><w:trPr><w:cantSplit/>{more}</w:trPr>{''.join(each)}</w:tr>"
