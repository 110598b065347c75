"""One content, many hands: whatever program filled the form in, the canonical answers are the same bytes.

200 random answer sets, fixed seeds. Set by set: typed into the pages of the web form, set by pikepdf, set by pypdf. Our own prefill
stamps 40 of them; pdf.js in headless Chromium fills 20 on every run and all 200 with `--slow`.
"""

from __future__ import annotations

import io
import random
import re
from collections.abc import Sequence
from functools import cache

import pytest
from flask.testing import FlaskClient
from pypdf import PdfWriter
from pypdf.generic import NameObject, TextStringObject

from forms import load
from forms.canonical import encode
from forms.pdf.blank import blank
from forms.pdf.stamp import stamp
from forms.schema import Answers, Form
from intake.adapters.documents.runner import DocumentReader
from tests.pdf.in_chromium import by_pdfjs_in_chromium
from tests.pdf.programs import Values, by_pikepdf
from tests.scenarios.typed import as_in_a_pdf, of_section, typed
from tests.scenarios.world import ASSESSMENT, BREACH, World, answered
from tests.support.random_answers import random_answers

EACH = 20  # sets in one test, so that several workers share them
GROUPS = [(kind, group) for kind in (BREACH, ASSESSMENT) for group in range(5)]
GROUP_IDS = [f"{kind} {group * EACH}-{group * EACH + EACH - 1}" for kind, group in GROUPS]
in_groups = pytest.mark.parametrize(("kind", "group"), GROUPS, ids=GROUP_IDS)


def sets_of(kind: str, group: int) -> list[Answers]:
    form = load.form(kind)
    return [random_answers(form, random.Random(f"{kind} {group * EACH + n}")) for n in range(EACH)]


def fields_of(form: Form, answers: Answers) -> Values:
    return {name: value for name, value in as_in_a_pdf(form, answers).items() if value is not False}


def read_back(reader: DocumentReader, files: Sequence[bytes]) -> list[bytes]:
    """The canonical answers of each file, as bytes; a file that was not read as a form of ours gives its problems."""
    read = reader.read([("form.pdf", content) for content in files])
    assert all(r.how == "acroform" and r.form for r in read), [r.problems for r in read]
    return [encode({q: a.value for q, a in r.answers.items()}) for r in read]


def differing(answers: Sequence[Answers], read: Sequence[bytes]) -> list[int]:
    return [n for n, (given, got) in enumerate(zip(answers, read, strict=True)) if encode(given) != got]


@pytest.mark.parametrize("program", ["pikepdf", "pypdf"])
@in_groups
def test_T01_every_program_gives_the_same_bytes(reader: DocumentReader, program: str, kind: str, group: int) -> None:
    form, sets = load.form(kind), sets_of(kind, group)
    fill = {"pikepdf": by_pikepdf, "pypdf": by_pypdf_once_opened}[program]
    assert differing(sets, read_back(reader, [fill(form, fields_of(form, answers)) for answers in sets])) == []


@pytest.mark.parametrize("kind", [BREACH, ASSESSMENT])
def test_T01_our_own_prefill_gives_the_same_bytes(reader: DocumentReader, kind: str) -> None:
    """On 20 sets of each form; `tests/pdf` has more of it."""
    form, sets = load.form(kind), sets_of(kind, 0)
    assert differing(sets, read_back(reader, [stamp(form, answers) for answers in sets])) == []


@in_groups
def test_T01_the_same_content_typed_into_the_web_form_gives_the_same_bytes(world: World, kind: str, group: int) -> None:
    form, sets = load.form(kind), sets_of(kind, group)
    read = []
    for answers in sets:
        reference = sent_by_web(world.app.test_client(), form, answers)
        read.append(encode(dict(answered(world.view(reference)))))
    assert differing(sets, read) == []


@pytest.mark.parametrize("kind", [BREACH, ASSESSMENT])
def test_T01_pdfjs_in_chromium_gives_the_same_bytes(reader: DocumentReader, kind: str) -> None:
    form, sets = load.form(kind), sets_of(kind, 0)[:10]
    filled = by_pdfjs_in_chromium(form, [fields_of(form, answers) for answers in sets])
    assert differing(sets, read_back(reader, filled)) == []


@pytest.mark.slow
@in_groups
def test_T01_pdfjs_in_chromium_gives_the_same_bytes_on_all_sets(reader: DocumentReader, kind: str, group: int) -> None:
    form, sets = load.form(kind), sets_of(kind, group)
    filled = by_pdfjs_in_chromium(form, [fields_of(form, answers) for answers in sets])
    assert differing(sets, read_back(reader, filled)) == []


@pytest.mark.parametrize("kind", [BREACH, ASSESSMENT])
def test_T01_the_form_method_of_pypdf_gives_the_same_bytes(reader: DocumentReader, kind: str) -> None:
    """What its documentation tells people to call; it draws every field itself, which takes a while."""
    form, sets = load.form(kind), sets_of(kind, 0)[:2]
    filled = [by_pypdf_method(form, fields_of(form, answers)) for answers in sets]
    assert differing(sets, read_back(reader, filled)) == []


@cache
def _opened(kind: str) -> PdfWriter:
    """The blank form in pypdf's memory: opening it costs far more than filling it in."""
    return PdfWriter(io.BytesIO(blank(load.form(kind))))


def by_pypdf_once_opened(form: Form, values: Values) -> bytes:
    """A script over pypdf's objects: /V of each field, /AS of each button; what another set left there is taken out."""
    writer = _opened(form.kind)
    stack = [(node, "") for node in writer.root_object["/AcroForm"]["/Fields"]]
    while stack:
        reference, before = stack.pop()
        node = reference.get_object()
        name = f"{before}.{node['/T']}" if before else str(node["/T"])
        if "/FT" not in node:
            stack += [(kid, name) for kid in node["/Kids"]]
            continue
        value = values.get(name)
        if node["/FT"] == "/Btn":
            state = "/yes" if value is True else f"/{value}" if value else "/Off"
            node[NameObject("/V")] = NameObject(state)
            for kid in node.get("/Kids", [reference]):
                widget = kid.get_object()
                on = state in widget["/AP"]["/N"]
                widget[NameObject("/AS")] = NameObject(state if on else "/Off")
        elif name not in ("_form", "_edition"):
            node[NameObject("/V")] = TextStringObject(value or "")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def by_pypdf_method(form: Form, values: Values) -> bytes:
    writer = PdfWriter(io.BytesIO(blank(form)))
    given = {name: "/yes" if value is True else value for name, value in values.items()}
    fields = writer.get_fields() or {}
    buttons = {name for name, field in fields.items() if field.get("/FT") == "/Btn"}
    given = {
        name: f"/{value}" if name in buttons and not str(value).startswith("/") else value
        for name, value in given.items()
    }
    for page in writer.pages:
        writer.update_page_form_field_values(page, given, auto_regenerate=False)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


# ---- the pages -----------------------------------------------------------------------------------

_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def sent_by_web(client: FlaskClient, form: Form, answers: Answers) -> str:
    """Every page of the form posted with its token, in order; the reference on the receipt."""
    fields = typed(form, answers)
    breach = form.kind == BREACH
    first = client.get("/breach" if breach else f"/assessment/{form.sections[0].id}")
    (token, *_) = _TOKEN.findall(first.text)
    pages: list[tuple[str, list[str]]] = [(f"/assessment/{s.id}", [s.id]) for s in form.sections]
    if breach:
        pages = [("/breach", [s.id for s in form.sections if s.stage == "A"])]
        pages += [(f"/breach/details/{s.id}", [s.id]) for s in form.sections if s.stage == "B"]
    for address, sections in pages:
        sent = {n: v for s in sections for n, v in of_section(form, fields, s).items()}
        lines = {n: v.replace("\n", "\r\n") if isinstance(v, str) else v for n, v in sent.items()}
        page = client.post(address, data=lines | {"csrf_token": token})
        assert page.status_code == 303, (address, page.status_code)
    kept = client.post("/breach/check" if breach else "/assessment/check", data={"csrf_token": token, "send": "yes"})
    assert kept.status_code == 303
    receipt = client.get(kept.location)
    (reference,) = set(re.findall(r"(?:BN|SA)-[0-9A-Z]{4,6}-[0-9A-Z]", receipt.text))
    return reference
