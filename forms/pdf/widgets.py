"""Turn the page's links into form fields, in place, so that every tag and the reading order stay as they are.

Each choice here was measured in viewers: the font's key `Wingdings` makes Chrome's engine keep macrons (only for that name
does it ask the font itself for every letter), NeedAppearances must be absent, text appearances are never shared, appearances
of buttons are.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, Stream, String

from forms.pdf import draw
from forms.pdf.font import FieldFont, differences, to_unicode
from forms.pdf.plan import Control, PaperField
from forms.schema import Box

KEY = "Wingdings"
SIZE = 10.0
APPEARANCE = f"/{KEY} {SIZE:g} Tf 0 g"
MULTI_LINE = 1 << 12
RADIO_FLAGS = 1 << 15
NO_TOGGLE = 1 << 14
COMBO = 1 << 17
READ_ONLY = 1
PRINT = 4
LINK_KEYS = ("/A", "/Border", "/BS", "/H", "/Contents", "/QuadPoints", "/C")


class Unplaced(ValueError):
    """The page does not hold each field exactly once."""


def with_fields(
    page_bytes: bytes, fields: Sequence[PaperField], hidden: Sequence[tuple[str, str]], font: FieldFont
) -> tuple[bytes, tuple[Box, ...]]:
    """The fillable form and where each field stands. Two calls with the same values give the same bytes."""
    with pikepdf.open(io.BytesIO(page_bytes)) as pdf:
        maker = _Maker(pdf, fields, font)
        boxes = maker.place()
        maker.hide(hidden)
        _tag_as_forms(pdf)
        out = io.BytesIO()
        pdf.save(
            out,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            compress_streams=True,
            recompress_flate=True,
            deterministic_id=True,
        )
    return out.getvalue(), boxes


class _Maker:
    def __init__(self, pdf: Pdf, fields: Sequence[PaperField], font: FieldFont) -> None:
        self.pdf = pdf
        self.fields = fields
        self.font = pdf.make_indirect(_font(pdf, font))
        self.resources = Dictionary(Font=Dictionary({f"/{KEY}": self.font}))
        self.top = Array()
        self.nodes: dict[str, pikepdf.Object] = {}
        self.buttons: dict[tuple[Control, int, int], tuple[pikepdf.Object, pikepdf.Object]] = {}
        pdf.Root.AcroForm = pdf.make_indirect(
            Dictionary(
                Fields=self.top,
                DR=self.resources,
                DA=String(APPEARANCE),
            )
        )

    def place(self) -> tuple[Box, ...]:
        boxes: dict[int, Box] = {}
        for number, page in enumerate(self.pdf.pages, start=1):
            page.obj.Tabs = Name.S
            height = float(page.mediabox[3])
            for link in page.obj.get("/Annots", Array()):
                uri = str(link.get("/A", Dictionary()).get("/URI", ""))
                if not uri.startswith("field:"):
                    continue
                index = int(uri.removeprefix("field:"))
                if index in boxes:
                    raise Unplaced(f"field {self.fields[index].name} stands twice")
                boxes[index] = self._widget(link, self.fields[index], page.obj, number, height)
        if sorted(boxes) != list(range(len(self.fields))):
            raise Unplaced(f"{len(boxes)} of {len(self.fields)} fields are on the page")
        return tuple(boxes[i] for i in range(len(self.fields)))

    def hide(self, values: Sequence[tuple[str, str]]) -> None:
        for name, value in values:
            field = Dictionary(
                FT=Name.Tx, T=String(name), V=String(value), DV=String(value), Ff=READ_ONLY,
                DA=String(APPEARANCE), TU=String(name.strip("_")),
            )  # fmt: skip
            self.top.append(self.pdf.make_indirect(field))

    def _widget(
        self, link: pikepdf.Object, field: PaperField, page: pikepdf.Object, number: int, page_height: float
    ) -> Box:
        for key in LINK_KEYS:
            if key in link:
                del link[key]
        x0, y0, x1, y1 = (float(v) for v in link.Rect)
        left, right, low, high = min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1)
        rect = [round(v, 2) for v in (left, low, right, high)]
        link.Rect = Array(rect)
        link.Subtype = Name.Widget
        link.F = PRINT
        link.P = page
        link.TU = String(field.spoken)
        size = (rect[2] - rect[0], rect[3] - rect[1])
        if field.control is Control.RADIO:
            self._radio(link, field, size)
        elif field.control is Control.CHECK:
            self._check(link, field, size)
        else:
            self._text(link, field, size)
        top, bottom = round(page_height - rect[3], 2), round(page_height - rect[1], 2)
        return Box(number, field.name, field.code, (rect[0], top, rect[2], bottom))

    def _text(self, link: pikepdf.Object, field: PaperField, size: tuple[float, float]) -> None:
        link.MK = Dictionary(BC=_colour(draw.EDGE), BG=Array([1, 1, 1]))
        link.DA = String(APPEARANCE)
        link.V = String("")
        link.DV = String("")
        if field.control is Control.DROP_DOWN:
            link.FT = Name.Ch
            link.Ff = COMBO
            blank = [Array([String(""), String(" ")])]
            pairs = [Array([String(code), String(label)]) for code, label in field.options]
            link.Opt = Array(blank + pairs)
            content = draw.drop_down_box(*size)
        else:
            link.FT = Name.Tx
            link.Ff = MULTI_LINE if field.lines > 1 else 0
            if field.max_length:
                link.MaxLen = field.max_length
            content = draw.text_box(*size)
        stream = self._appearance(content, size)
        stream.Resources = self.resources
        link.AP = Dictionary(N=stream)
        self._attach(link, field.name)

    def _radio(self, link: pikepdf.Object, field: PaperField, size: tuple[float, float]) -> None:
        link.MK = Dictionary(CA=String("l"), BC=_colour(draw.EDGE), BG=Array([1, 1, 1]))
        self._button(link, Control.RADIO, field.code, size)
        group = self.nodes.get(field.name)
        if group is None:
            group = self.pdf.make_indirect(
                Dictionary(
                    FT=Name.Btn, Ff=RADIO_FLAGS | NO_TOGGLE, V=Name.Off, DV=Name.Off,
                    TU=String(field.group), Kids=Array(),
                )
            )  # fmt: skip
            self.nodes[field.name] = group
            self._attach(group, field.name)
        group.Kids.append(link)
        link.Parent = group

    def _check(self, link: pikepdf.Object, field: PaperField, size: tuple[float, float]) -> None:
        link.MK = Dictionary(CA=String("4"), BC=_colour(draw.EDGE), BG=Array([1, 1, 1]))
        self._button(link, Control.CHECK, "yes", size)
        link.FT = Name.Btn
        link.V = Name.Off
        link.DV = Name.Off
        self._attach(link, field.name)

    def _button(self, link: pikepdf.Object, control: Control, state: str, size: tuple[float, float]) -> None:
        on, off = self._states(control, min(size))
        link.AP = Dictionary(N=Dictionary({f"/{state}": on, "/Off": off}))
        link.AS = Name.Off

    def _states(self, control: Control, size: float) -> tuple[pikepdf.Object, pikepdf.Object]:
        key = (control, round(size * 100), 0)
        if key not in self.buttons:
            make = draw.radio if control is Control.RADIO else draw.check_box
            box = (size, size)
            self.buttons[key] = (
                self._appearance(make(size, True), box),
                self._appearance(make(size, False), box),
            )
        return self.buttons[key]

    def _appearance(self, content: bytes, size: tuple[float, float]) -> Stream:
        return Stream(
            self.pdf,
            content,
            Type=Name.XObject,
            Subtype=Name.Form,
            BBox=Array([0, 0, round(size[0], 2), round(size[1], 2)]),
            Resources=Dictionary(),
        )

    def _attach(self, field: pikepdf.Object, name: str) -> None:
        """Hang a field under the nodes that its dotted name states: a partial name holds no full stop."""
        *above, last = name.split(".")
        field.T = String(last)
        parent: pikepdf.Object | None = None
        for depth in range(1, len(above) + 1):
            path = ".".join(above[:depth])
            node = self.nodes.get(path)
            if node is None:
                node = self.pdf.make_indirect(Dictionary(T=String(above[depth - 1]), Kids=Array()))
                self._hang(node, parent)
                self.nodes[path] = node
            parent = node
        self._hang(field, parent)

    def _hang(self, child: pikepdf.Object, parent: pikepdf.Object | None) -> None:
        if parent is None:
            self.top.append(child)
        else:
            parent.Kids.append(child)
            child.Parent = parent


def _colour(numbers: str) -> Array:
    return Array([float(n) for n in numbers.split()])


def _font(pdf: Pdf, font: FieldFont) -> Dictionary:
    program = Stream(pdf, font.program, Length1=len(font.program))
    descriptor = Dictionary({f"/{k}": Array(v) if isinstance(v, list) else v for k, v in font.descriptor.items()})
    descriptor.Type = Name.FontDescriptor
    descriptor.FontName = Name(f"/{font.name}")
    descriptor.FontFile2 = program
    codes = Array([Name(f"/{d}") if isinstance(d, str) else d for d in differences()])
    return Dictionary(
        Type=Name.Font,
        Subtype=Name.TrueType,
        BaseFont=Name(f"/{font.name}"),
        FirstChar=0,
        LastChar=255,
        Widths=Array(list(font.widths)),
        FontDescriptor=pdf.make_indirect(descriptor),
        Encoding=Dictionary(Type=Name.Encoding, BaseEncoding=Name.WinAnsiEncoding, Differences=codes),
        ToUnicode=Stream(pdf, to_unicode()),
    )


def _tag_as_forms(pdf: Pdf) -> None:
    """Structure elements that held the links now hold fields."""
    for element in pdf.objects:
        if not isinstance(element, Dictionary) or element.get("/S") != Name.Link:
            continue
        kids = element.K if isinstance(element.K, Array) else [element.K]
        if any(isinstance(k, Dictionary) and "/Obj" in k and k.Obj.Subtype == Name.Widget for k in kids):
            element.S = Name.Form
