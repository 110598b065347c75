"""The issued form is tagged towards PDF/UA-1: a walk over what a screen reader relies on. Not a certificate."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name

from forms import load
from forms.pdf.blank import blank
from forms.pdf.plan import plan
from forms.schema import Form

FORMS = load.forms()
EDITIONS = pytest.mark.parametrize("form", FORMS, ids=[f.name for f in FORMS])
STANDARD = {
    "Document", "Part", "Sect", "Div", "H1", "H2", "H3", "H4", "H5", "H6", "P", "L", "LI", "Lbl", "LBody", "Table", "TR", "TH",
    "TD", "THead", "TBody", "Span", "Link", "Form", "Figure", "NonStruct",
}  # fmt: skip
PAINTS = {"Tj", "TJ", "'", '"', "f", "F", "f*", "S", "s", "B", "B*", "b", "b*", "sh", "Do"}


def opened(form: Form) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(blank(form)))


def elements(root: pikepdf.Object) -> Iterator[pikepdf.Object]:
    """All structure elements in reading order."""
    kids = root.get("/K", Array())
    for kid in kids if isinstance(kids, Array) else [kids]:
        if isinstance(kid, Dictionary) and "/S" in kid:
            yield kid
            yield from elements(kid)


def kids_of(element: pikepdf.Object) -> list[pikepdf.Object]:
    kids = element.get("/K", Array())
    return list(kids) if isinstance(kids, Array) else [kids]


def widgets(pdf: pikepdf.Pdf) -> list[tuple[pikepdf.Page, pikepdf.Object]]:
    return [(p, a) for p in pdf.pages for a in p.obj.get("/Annots", Array()) if a.Subtype == Name.Widget]


def full_name(node: pikepdf.Object) -> str:
    parts = []
    at: pikepdf.Object | None = node
    while at is not None:
        if "/T" in at:
            parts.append(str(at.T))
        at = at.get("/Parent")
    return ".".join(reversed(parts))


@EDITIONS
def test_tagged_towards_pdf_ua_1_the_document_says_what_it_is(form: Form) -> None:
    with opened(form) as pdf:
        assert pdf.Root.MarkInfo.Marked
        assert str(pdf.Root.Lang) == "en-NZ"
        assert pdf.Root.ViewerPreferences.DisplayDocTitle
        with pdf.open_metadata() as meta:
            assert meta["pdfuaid:part"] == "1"
            assert meta["dc:title"] == form.title


@EDITIONS
def test_tagged_towards_pdf_ua_1_every_field_is_one_form_element_in_reading_order(form: Form) -> None:
    with opened(form) as pdf:
        order = []
        for element in elements(pdf.Root.StructTreeRoot):
            if Name.Form == element.S:
                only = kids_of(element)
                assert len(only) == 1 and only[0].Type == Name.OBJR
                order.append(full_name(only[0].Obj))
        assert order == [f.name for f in plan(form).fields]


@EDITIONS
def test_tagged_towards_pdf_ua_1_every_field_leads_back_to_its_element(form: Form) -> None:
    with opened(form) as pdf:
        numbers = pikepdf.NumberTree(pdf.Root.StructTreeRoot.ParentTree)
        seen = set()
        for _, widget in widgets(pdf):
            key = int(widget.StructParent)
            assert key not in seen
            seen.add(key)
            element = numbers[key]
            assert Name.Form == element.S and kids_of(element)[0].Obj.objgen == widget.objgen
        assert len(seen) == len(plan(form).fields)


@EDITIONS
def test_tagged_towards_pdf_ua_1_every_field_is_spoken_printed_and_reached_by_tab(form: Form) -> None:
    with opened(form) as pdf:
        for page, widget in widgets(pdf):
            assert str(widget.TU).strip()
            assert int(widget.F) & 4 and not int(widget.F) & 2
            assert page.obj.Tabs == Name.S
        assert all(a.Subtype == Name.Widget for p in pdf.pages for a in p.obj.get("/Annots", Array()))


@EDITIONS
def test_tagged_towards_pdf_ua_1_buttons_have_exactly_on_and_off(form: Form) -> None:
    with opened(form) as pdf:
        for _, widget in widgets(pdf):
            states = widget.AP.N
            if not isinstance(states, pikepdf.Stream):
                assert len(states.keys()) == 2 and "/Off" in states
                assert Name.Off == widget.AS


@EDITIONS
def test_tagged_towards_pdf_ua_1_names_are_unique_and_hold_no_full_stop(form: Form) -> None:
    with opened(form) as pdf:
        names: Counter[str] = Counter()
        stack = [(node, "") for node in pdf.Root.AcroForm.Fields]
        while stack:
            node, before = stack.pop()
            assert "." not in str(node.T)
            name = f"{before}.{node.T}" if before else str(node.T)
            if "/FT" in node:
                names[name] += 1
            else:
                stack += [(kid, name) for kid in node.Kids]
        assert max(names.values()) == 1
        assert set(names) == {f.name for f in plan(form).fields} | {"_form", "_edition"}


@EDITIONS
def test_tagged_towards_pdf_ua_1_structure_is_standard_and_headings_do_not_skip(form: Form) -> None:
    with opened(form) as pdf:
        level = 0
        for element in elements(pdf.Root.StructTreeRoot):
            kind = str(element.S)[1:]
            assert kind in STANDARD, kind
            assert kind != "Figure" or "/Alt" in element
            if len(kind) == 2 and kind[0] == "H" and kind[1].isdigit():
                assert int(kind[1]) <= level + 1
                level = int(kind[1])
                assert level > 0
        top = kids_of(pdf.Root.StructTreeRoot)
        assert [str(e.S) for e in top] == ["/Document"]


@EDITIONS
def test_tagged_towards_pdf_ua_1_every_mark_on_a_page_is_content_or_decoration(form: Form) -> None:
    with opened(form) as pdf:
        for page in pdf.pages:
            depth = 0
            for instruction in pikepdf.parse_content_stream(page):
                operator = str(instruction.operator)
                if operator in ("BDC", "BMC"):
                    depth += 1
                elif operator == "EMC":
                    depth -= 1
                elif operator in PAINTS:
                    assert depth > 0, operator
            assert depth == 0


@EDITIONS
def test_tagged_towards_pdf_ua_1_every_font_is_in_the_file(form: Form) -> None:
    with opened(form) as pdf:
        fonts = [o for o in pdf.objects if isinstance(o, Dictionary) and o.get("/Type") == Name.Font]
        assert fonts
        for font in fonts:
            base = font.DescendantFonts[0] if "/DescendantFonts" in font else font
            descriptor = base.FontDescriptor
            assert any(k in descriptor for k in ("/FontFile", "/FontFile2", "/FontFile3"))
            assert "/ToUnicode" in font or "/ToUnicode" in base or font.Subtype == Name.CIDFontType2
