"""The one font of the form's fields: Noto Sans with a single byte for each letter, the ten macron letters among them.

Viewers agree on such a font and on no other (a two-byte font loses macrons in most of them). Publishing only: fontTools is
imported lazily. At run time the widths stored beside the issued form are enough.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FONTS = Path(__file__).parent / "fonts"

# Codes of letters that cp1252 has not, in places of characters that nobody types into a form.
EXTRA: dict[int, str] = {
    0x81: "Ā", 0x8D: "ā", 0x8F: "Ē", 0x90: "ē", 0x9D: "Ī", 0x83: "ī", 0x88: "Ō", 0x98: "ō", 0x7F: "Ū", 0xAD: "ū",
    0x86: "\u02bb", 0x87: "\u0304",
}  # fmt: skip
NAMES = {
    "Ā": "Amacron", "ā": "amacron", "Ē": "Emacron", "ē": "emacron", "Ī": "Imacron", "ī": "imacron",
    "Ō": "Omacron", "ō": "omacron", "Ū": "Umacron", "ū": "umacron", "\u02bb": "uni02BB", "\u0304": "uni0304",
}  # fmt: skip


def code_table() -> dict[int, str]:
    """Byte to character, all that the fields can show."""
    table = dict(EXTRA)
    for byte in range(0x20, 0x100):
        if byte not in table:
            try:
                table[byte] = bytes([byte]).decode("cp1252")
            except UnicodeDecodeError:
                continue
    return table


@dataclass(frozen=True, slots=True)
class FieldFont:
    program: bytes  # the TrueType file
    name: str
    widths: tuple[int, ...]  # 256, per 1000 of the size
    descriptor: dict[str, int | list[int]]


def field_font(source: Path = FONTS / "NotoSans-Regular.ttf") -> FieldFont:
    """Cut the font to `code_table` and give it one Unicode table, as viewers want it for a font of single bytes."""
    from fontTools import subset
    from fontTools.ttLib import TTFont

    options = subset.Options()
    options.hinting = False
    options.layout_features = []
    options.name_IDs = [1, 2, 4, 6]
    options.recalc_timestamp = False
    options.drop_tables += ["GDEF", "GPOS", "GSUB", "DSIG", "kern"]
    font: Any = TTFont(source, recalcTimestamp=False)
    cutter = subset.Subsetter(options)
    characters = sorted(set(code_table().values()))
    cutter.populate(unicodes=[ord(c) for c in characters])
    cutter.subset(font)
    _one_unicode_table(font)
    out = io.BytesIO()
    font.save(out, reorderTables=True)
    return FieldFont(out.getvalue(), "PINTKE+NotoSans-Regular", _widths(font), _descriptor(font))


def _one_unicode_table(font: Any) -> None:
    from fontTools.ttLib.tables._c_m_a_p import CmapSubtable

    table = CmapSubtable.newSubtable(4)
    table.platformID, table.platEncID, table.language = 3, 1, 0
    table.cmap = {c: g for c, g in font.getBestCmap().items() if c <= 0xFFFF}
    font["cmap"].tables = [table]


def _widths(font: Any) -> tuple[int, ...]:
    cmap, metrics = font.getBestCmap(), font["hmtx"]
    scale: float = 1000 / font["head"].unitsPerEm
    table = code_table()
    missing = metrics[".notdef"][0]

    def width(byte: int) -> int:
        glyph = cmap.get(ord(table[byte])) if byte in table else None
        advance: int = metrics[glyph][0] if glyph else missing
        scaled: float = advance * scale
        return round(scaled)

    return tuple(width(b) for b in range(256))


def _descriptor(font: Any) -> dict[str, int | list[int]]:
    head, os2, hhea = font["head"], font["OS/2"], font["hhea"]
    scale = 1000 / head.unitsPerEm
    return {
        "Flags": 32,  # nonsymbolic
        "FontBBox": [round(v * scale) for v in (head.xMin, head.yMin, head.xMax, head.yMax)],
        "ItalicAngle": 0,
        "Ascent": round(hhea.ascent * scale),
        "Descent": round(hhea.descent * scale),
        "CapHeight": round(os2.sCapHeight * scale),
        "XHeight": round(os2.sxHeight * scale),
        "StemV": 80,
        "MissingWidth": round(font["hmtx"][".notdef"][0] * scale),
    }


def to_unicode() -> bytes:
    """The map from bytes to Unicode that goes with the font."""
    pairs = [f"<{b:02X}> <{ord(c):04X}>" for b, c in sorted(code_table().items())]
    blocks = [pairs[i : i + 100] for i in range(0, len(pairs), 100)]
    body = "\n".join(f"{len(p)} beginbfchar\n" + "\n".join(p) + "\nendbfchar" for p in blocks)
    return (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
        "/CMapName /FieldFont def\n/CMapType 2 def\n"
        "1 begincodespacerange\n<00> <FF>\nendcodespacerange\n"
        f"{body}\nendcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
    ).encode("ascii")


def differences() -> list[int | str]:
    """The PDF array of /Differences: code, name, code, name ..."""
    out: list[int | str] = []
    for byte, character in sorted(EXTRA.items()):
        out += [byte, NAMES[character]]
    return out
