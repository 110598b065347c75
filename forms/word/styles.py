"""How the file looks: one style for each kind of paragraph, none of it in the text itself, so that it can be changed in Word."""

from __future__ import annotations

from dataclasses import dataclass

from forms.word.markup import W

BRAND, SOFT, INK, MUTED, RULE = "0E4955", "E2EEF0", "182227", "4B5961", "7C8C92"
WARM, WARM_SOFT, PAPER = "8F1420", "FDECEC", "FFFFFF"
FONT = "Arial"  # on every machine with Word, and with a double of the same widths elsewhere; it has the macron letters


@dataclass(frozen=True, slots=True)
class Look:
    """A style of paragraphs. Sizes in half points, distances in twentieths of a point."""

    name: str
    words: str = ""  # what stands between rPr tags
    before: int = 0
    after: int = 80
    more: str = ""  # of pPr, what stands before the spacing in the order of the schema
    indent: str = ""
    level: int | None = None  # of an outline
    following: str = ""


KEEP = "<w:keepNext/><w:keepLines/>"
HANGING = '<w:tabs><w:tab w:val="left" w:pos="397"/></w:tabs>'
IN_BOX = '<w:ind w:left="113" w:right="113"/>'


def _edges(colour: str, size: int, space: int, sides: str = "top left bottom right") -> str:
    each = "".join(f'<w:{s} w:val="single" w:sz="{size}" w:space="{space}" w:color="{colour}"/>' for s in sides.split())
    return f"<w:pBdr>{each}</w:pBdr>"


def _filled(colour: str) -> str:
    return f'<w:shd w:val="clear" w:color="auto" w:fill="{colour}"/>'


def _words(colour: str, size: int, bold: bool = False) -> str:
    return f'{"<w:b/>" if bold else ""}<w:color w:val="{colour}"/><w:sz w:val="{size}"/><w:szCs w:val="{size}"/>'


LOOKS = (
    Look("heading 1", _words(PAPER, 40, True), 0, 0, KEEP + _edges(BRAND, 48, 1) + _filled(BRAND), IN_BOX, 0, "Normal"),
    Look("heading 2", _words(BRAND, 30, True), 480, 120, KEEP + _edges(BRAND, 12, 4, "bottom"), "", 1, "Normal"),
    Look("heading 3", _words(BRAND, 25, True), 360, 120, KEEP + _edges(BRAND, 6, 3, "bottom"), "", 2, "Normal"),
    Look("Purpose", _words(PAPER, 21), 0, 240, _edges(BRAND, 48, 1) + _filled(BRAND), IN_BOX),
    Look("Danger", _words(INK, 21), 120, 160, _edges(WARM, 36, 8, "left") + _filled(WARM_SOFT), IN_BOX),
    Look("Note", _words(INK, 20), 0, 0, _edges(BRAND, 36, 8, "left") + _filled(SOFT), IN_BOX),
    Look("Intro", _words(MUTED, 20), 0, 120, KEEP),
    Look("Label", _words(INK, 21, True), 260, 40, KEEP),
    Look("Part Label", _words(INK, 20), 120, 40, KEEP),
    Look("Hint", _words(MUTED, 18), 20, 60, "<w:keepNext/>"),
    Look("Answer", _words(INK, 21), 60, 100, _edges(RULE, 6, 5) + _filled("FAFCFC"), IN_BOX),
    Look("Tick", _words(INK, 21, True), 200, 60, HANGING, '<w:ind w:left="397" w:hanging="397"/>'),
    Look("Option", _words(INK, 20), 20, 20, HANGING, '<w:ind w:left="397" w:hanging="397"/>'),
    Look("Table Head", _words(BRAND, 19, True), 50, 50, "<w:keepNext/>"),
    Look("Cell Label", _words(INK, 19), 50, 20),
    Look("Cell", _words(INK, 20), 50, 50),
    Look("After", _words(INK, 8), 0, 60),
    Look("footer", _words(MUTED, 16), 0, 0),
)
CHARACTERS = (
    ("Placeholder Text", f'<w:color w:val="{MUTED}"/>'),
    ("Strong", "<w:b/>"),
    ("Code", f'<w:b w:val="0"/><w:color w:val="{MUTED}"/><w:sz w:val="16"/>'),
    ("Tag", f'<w:b/><w:color w:val="{BRAND}"/><w:sz w:val="16"/>{_filled(SOFT)}'),
    ("Option Hint", f'<w:color w:val="{MUTED}"/><w:sz w:val="18"/>'),
    (
        "Box",
        '<w:rFonts w:ascii="MS Gothic" w:eastAsia="MS Gothic" w:hAnsi="MS Gothic" w:hint="eastAsia"/><w:b w:val="0"/>',
    ),
)


def styles() -> str:
    """word/styles.xml."""
    return (
        f'<w:styles xmlns:w="{W}"><w:docDefaults><w:rPrDefault><w:rPr>'
        f'<w:rFonts w:ascii="{FONT}" w:eastAsia="{FONT}" w:hAnsi="{FONT}" w:cs="{FONT}"/><w:color w:val="{INK}"/>'
        '<w:sz w:val="21"/><w:szCs w:val="21"/><w:lang w:val="en-NZ" w:eastAsia="en-NZ" w:bidi="ar-SA"/></w:rPr></w:rPrDefault>'
        '<w:pPrDefault><w:pPr><w:spacing w:after="80" w:line="264" w:lineRule="auto"/></w:pPr></w:pPrDefault></w:docDefaults>'
        '<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/><w:qFormat/></w:style>'
        '<w:style w:type="character" w:default="1" w:styleId="DefaultParagraphFont">'
        '<w:name w:val="Default Paragraph Font"/><w:uiPriority w:val="1"/><w:semiHidden/></w:style>'
        f"{''.join(map(_look, LOOKS))}{''.join(_character(name, words) for name, words in CHARACTERS)}{_TABLES}</w:styles>"
    )


def _id(name: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in name.split())


def _look(look: Look) -> str:
    after = f'<w:next w:val="{look.following}"/>' if look.following else ""
    level = f'<w:outlineLvl w:val="{look.level}"/>' if look.level is not None else ""
    spacing = f'<w:spacing w:before="{look.before}" w:after="{look.after}"/>'
    return (
        f'<w:style w:type="paragraph" w:styleId="{_id(look.name)}"><w:name w:val="{look.name}"/><w:basedOn w:val="Normal"/>'
        f"{after}<w:qFormat/><w:pPr>{look.more}{spacing}{look.indent}{level}</w:pPr><w:rPr>{look.words}</w:rPr></w:style>"
    )


def _character(name: str, words: str) -> str:
    return (
        f'<w:style w:type="character" w:styleId="{_id(name)}"><w:name w:val="{name}"/>'
        f'<w:basedOn w:val="DefaultParagraphFont"/><w:rPr>{words}</w:rPr></w:style>'
    )


def _table_edges() -> str:
    sides = ("top", "left", "bottom", "right", "insideH", "insideV")
    return "".join(f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="{RULE}"/>' for side in sides)


_TABLES = (
    '<w:style w:type="table" w:default="1" w:styleId="TableNormal"><w:name w:val="Normal Table"/><w:semiHidden/><w:tblPr>'
    '<w:tblInd w:w="0" w:type="dxa"/></w:tblPr></w:style>'
    '<w:style w:type="table" w:styleId="Answers"><w:name w:val="Answers"/><w:basedOn w:val="TableNormal"/><w:tblPr>'
    f"<w:tblBorders>{_table_edges()}</w:tblBorders>"
    '<w:tblCellMar><w:top w:w="40" w:type="dxa"/><w:left w:w="113" w:type="dxa"/><w:bottom w:w="40" w:type="dxa"/>'
    '<w:right w:w="113" w:type="dxa"/></w:tblCellMar></w:tblPr>'
    f'<w:tblStylePr w:type="firstRow"><w:tcPr>{_filled(SOFT)}</w:tcPr></w:tblStylePr></w:style>'
)
