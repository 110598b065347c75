"""Make the blank of an edition once, when the edition is published; the running service only reads what was issued.

`python -m forms.pdf.publish [KIND@EDITION ...]` writes `forms/editions/KIND/EDITION.pdf` and `EDITION.boxes.json`. Needs the
`publish` extra (typst, fontTools, segno). The same edition gives the same bytes each time.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
from pathlib import Path

from forms.pdf.font import FONTS, FieldFont, code_table, field_font
from forms.pdf.plan import Block, Plan, plan
from forms.pdf.widgets import with_fields
from forms.schema import Box, Form

TEMPLATE = Path(__file__).parent / "template.typ"
EDITIONS = Path(__file__).parent.parent / "editions"
TIMESTAMP = 1767222000  # a fixed instant, so that the same edition gives the same bytes


def publish(form: Form) -> tuple[bytes, tuple[Box, ...]]:
    """The fillable PDF of an edition and where each field stands on it.

    Raises `forms.pdf.widgets.Unplaced` when the page lost a field, ImportError without the `publish` extra.
    """
    made = plan(form)
    return with_fields(_pages(form, made), made.fields, hidden(form), field_font())


def hidden(form: Form) -> tuple[tuple[str, str], ...]:
    """The fields that name the edition. They choose how a file is read; they prove nothing."""
    return (("_form", form.kind), ("_edition", form.edition))


def stored(pdf: bytes, boxes: tuple[Box, ...], font: FieldFont) -> dict[str, object]:
    """What is kept beside the issued file."""
    return {
        "sha256": hashlib.sha256(pdf).hexdigest(),
        "pages": max(b.page for b in boxes),
        "boxes": [[b.page, b.name, b.code, list(b.rect)] for b in boxes],
        "codes": {str(byte): character for byte, character in sorted(code_table().items())},
        "widths": list(font.widths),
    }


def _pages(form: Form, made: Plan) -> bytes:
    """The tagged page with links for fields. Compiled twice: the page codes state how many pages there are."""
    count = 1
    for _ in range(3):
        pdf = _compile(_page(form, made, count))
        pages = _count_pages(pdf)
        if pages == count:
            return pdf
        count = pages
    raise ValueError(f"{form.name}: the number of pages does not settle")


def _page(form: Form, made: Plan, count: int) -> Block:
    return {
        "title": form.title,
        "name": form.title,
        "kind": form.kind,
        "author": form.paper.publisher,
        "edition": form.edition,
        "purpose": form.paper.purpose,
        "danger": any(s.stage for s in form.sections),
        "notes": [{"lead": lead, "rest": rest} for lead, rest in form.paper.notes],
        "about": form.about,
        "attestation": form.attestation,
        "footer": form.paper.footer,
        "codes": [_code(f"PI1:{form.name}:{n}/{count}") for n in range(1, count + 1)],
        "sections": made.sections,
    }


def _code(text: str) -> str:
    import segno

    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="svg", border=2, light="#fff", xmldecl=False)
    return out.getvalue().decode()


def _compile(page: Block) -> bytes:
    import typst

    made = typst.compile(
        str(TEMPLATE),
        root=str(TEMPLATE.parent),
        font_paths=[str(FONTS)],
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={"page": json.dumps(page, ensure_ascii=False, sort_keys=True)},
        pdf_standards=["ua-1"],
        timestamp=TIMESTAMP,
    )
    assert isinstance(made, bytes)
    return made


def _count_pages(pdf: bytes) -> int:
    import pikepdf

    with pikepdf.open(io.BytesIO(pdf)) as opened:
        return len(opened.pages)


def write(form: Form, folder: Path = EDITIONS) -> Path:
    """Write the PDF and its boxes beside the edition's text; gives the PDF's path."""
    pdf, boxes = publish(form)
    target = folder / form.kind / f"{form.edition}.pdf"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(pdf)
    rows = stored(pdf, boxes, field_font())
    beside = target.with_name(f"{form.edition}.boxes.json")
    beside.write_text(as_text(rows), encoding="utf-8")
    return target


def as_text(rows: dict[str, object]) -> str:
    """One line for each key and each box, so that a difference between two editions can be read."""
    lines = []
    for key, value in rows.items():
        if key == "boxes" and isinstance(value, list):
            body = ",\n".join(json.dumps(row, ensure_ascii=False) for row in value)
            lines.append(f'"boxes": [\n{body}\n]')
        else:
            lines.append(f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main(names: list[str]) -> None:
    from forms import load

    for form in [load.form(name) for name in names] or load.forms():
        target = write(form)
        sys.stdout.write(f"{target.relative_to(EDITIONS.parent.parent)}: {target.stat().st_size} bytes\n")


if __name__ == "__main__":
    main(sys.argv[1:])
