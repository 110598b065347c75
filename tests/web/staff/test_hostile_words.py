"""Whatever is written into a mail, a form, a file name or a note comes out as text."""

from __future__ import annotations

import pytest
from flask import Flask

from intake.adapters.demo.mails import File
from tests.web.staff.office import GRAVE, Office

VECTORS = (
    "<script>document.title='owned'</script>",
    "\"><img src=x onerror=document.title='owned'>",
    "'><svg/onload=document.title='owned'>",
    "<iframe srcdoc=\"<script>parent.document.title='owned'</script>\"></iframe>",
    "javascript:document.title='owned'",
    "{{ 1234 * 8 }}{% for x in config %}{{ x }}{% endfor %}",
    "</textarea><script>document.title='owned'</script>",
    "</title></style><script>document.title='owned'</script>",
    "<a href=\"javascript:document.title='owned'\">x</a>",
    "&lt;script&gt;document.title='owned'&lt;/script&gt;",
)
OPENERS = ("<script>document", "<img src=x", "<svg/onload", "<iframe", '<a href="javascript', "</title></style>")


def _hostile(office: Office, vector: str) -> str:
    answers = {**GRAVE, "A01": vector, "A02": vector, "A03": vector, "A04": vector, "A05": vector, "A06": vector}
    files = (File(f"{vector}.txt", "text/plain", vector.encode()),)
    reference = office.notice(
        answers,
        subject=vector,
        sender=f'"{vector[:40].replace(chr(34), "")}" <office@kowhai-trust.example>',
        files=files,
    )
    office.store.add_note(reference, "triage@ministry.example", "note", vector)
    return reference


@pytest.mark.parametrize("vector", VECTORS)
def test_a_hostile_text_in_every_field_comes_out_as_text(office: Office, app: Flask, vector: str) -> None:
    reference = _hostile(office, vector)
    person = office.person(app)
    for address in (f"/case/{reference}", "/queue", f"/queue?q={vector}", "/providers/kowhai", "/system"):
        page = person.open(address)
        assert page.status == 200
        assert not any(opener in page.html for opener in OPENERS), address
        assert not any(name.startswith("on") for _, given in page.tags for name in given), address
        assert "9872" not in page.text, "a submitted text was taken for a template"
        hrefs = [given.get("href", "") for tag, given in page.tags if tag == "a"]
        assert not any(h.strip().lower().startswith(("javascript:", "data:")) for h in hrefs)
    assert vector.strip() in " ".join(person.open(f"/case/{reference}").text.split()) or "\n" in vector


def test_text_that_is_given_back_on_an_error_page_is_text(office: Office, app: Flask) -> None:
    reference = office.notice(GRAVE)
    person = office.person(app)
    page = person.press(person.open(f"/case/{reference}"), "Ask the second person", reason=VECTORS[6])
    assert page.status == 422
    assert "<script>document" not in page.html and VECTORS[6] in page.text


def test_no_page_has_a_style_attribute_an_inline_script_or_an_outside_host(office: Office, app: Flask) -> None:
    reference = office.notice(GRAVE)
    person = office.person(app)
    for address in ("/queue", f"/case/{reference}", "/providers", "/providers/kowhai", "/system", "/keys", "/sign-in"):
        page = person.open(address)
        for tag, given in page.tags:
            assert "style" not in given, (address, tag)
            assert tag != "style" and (tag != "script" or given.get("src", "").startswith("/static/"))
            for name in ("src", "href", "action"):
                assert not given.get(name, "").startswith(("http:", "https:", "//")), (address, given)
