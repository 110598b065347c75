"""Who may go where: every route, every role, and objects that one may not see."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from werkzeug.routing import Rule

from intake.ports import Registration
from intake.web.access import ANYBODY, PUBLIC_BLUEPRINTS, ROUTES, roles_for
from intake.web.app import POLICY
from tests.web.staff.office import CALM, GRAVE, STAFF, Office, Person

PLACES = {"reference": "", "document_id": "1", "slug": "kowhai", "token": "x", "number": "1"}


def _rules(app: Flask) -> list[Rule]:
    return [r for r in app.url_map.iter_rules() if r.endpoint.partition(".")[0] not in PUBLIC_BLUEPRINTS]


def test_every_route_stands_in_the_table(tmp_path: Path) -> None:
    app = Office(tmp_path, demo=True).application()
    missing = {r.endpoint for r in _rules(app)} - set(ROUTES)
    assert not missing, f"add these to intake/web/access.py: {missing}"
    assert not set(ROUTES) - {r.endpoint for r in _rules(app)}, "the table names routes that are gone"


def test_a_route_that_is_not_in_the_table_is_there_for_nobody(office: Office, app: Flask) -> None:
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    for role in STAFF:
        assert office.person(app, role).open("/forgotten").status == 404


def _address(rule: Rule, reference: str) -> str:
    address = rule.rule
    for name, value in {**PLACES, "reference": reference}.items():
        address = address.replace(f"<{name}>", value).replace(f"<int:{name}>", value)
    return address


@pytest.mark.parametrize("role", [*STAFF, "stranger"])
def test_each_role_reaches_its_routes_and_no_other(office: Office, app: Flask, role: str) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    reference = office.notice(GRAVE)
    office.store.propose(
        Registration("exception", "kowhai", "k@freemail.example", "For now", "a@b", until="2027-03-31")
    )
    for rule in _rules(app):
        if rule.endpoint == "static" or rule.endpoint.startswith(("auth.", "health.", "demo.")):
            continue
        office.later(minutes=3)  # there are more routes than sign-ins in an hour
        person = office.stranger(app) if role == "stranger" else office.person(app, role)
        for method in (rule.methods or set()) & {"GET", "POST"}:
            response = person.client.open(_address(rule, reference), method=method)
            roles = roles_for(rule.endpoint)
            if role == "stranger":
                refused = response.status_code in (303, 401) and "Example Trust" not in response.text
            else:
                refused = response.status_code == 404 and response.text.count(reference) == 0
            no_such_object = rule.endpoint == "case.document"  # document 1 belongs to no case here
            assert refused == (role not in roles or no_such_object), (rule.rule, method, role, response.status_code)


def test_a_case_that_one_may_not_see_looks_like_one_that_is_not_there(office: Office, app: Flask) -> None:
    reference = office.notice(GRAVE)
    row = office.case(reference).row
    office.store.change(reference, row.version, "system", "locked", "Names a colleague", {"marks": ("CONFLICT",)})
    person = office.person(app, "triage")
    locked, absent = person.open(f"/case/{reference}"), person.open("/case/BN-0000-0")
    assert locked.status == absent.status == 404
    assert locked.text == absent.text
    assert reference not in person.open("/queue").text
    for part in ("original.eml", "document/1"):
        assert person.open(f"/case/{reference}/{part}").status == 404
    assert office.person(app, "privacy_lead").open(f"/case/{reference}").status == 200


def test_a_document_opens_only_through_a_case_to_which_it_belongs(office: Office, app: Flask) -> None:
    from intake.adapters.demo.mails import File

    mine = office.notice(GRAVE, files=(File("note.txt", "text/plain", b"of one case"),))
    other = office.notice(CALM, subject="Other", files=(File("note.txt", "text/plain", b"of another"),))
    person = office.person(app)
    theirs = office.case(other).documents[0].id
    assert person.open(f"/case/{other}/document/{theirs}").status == 200
    assert person.open(f"/case/{mine}/document/{theirs}").status == 404


def test_a_post_without_its_token_does_nothing(office: Office, app: Flask) -> None:
    reference = office.notice(GRAVE)
    person = office.person(app)
    version = office.case(reference).row.version
    response = person.client.post(f"/case/{reference}/take", data={"version": version})
    assert response.status_code == 400
    assert "This page was open for too long" in response.text
    assert office.case(reference).row.assignee is None


def test_every_answer_carries_the_headers_that_keep_it_safe(office: Office, app: Flask) -> None:
    reference = office.notice(GRAVE)
    person = office.person(app)
    for address in ("/queue", f"/case/{reference}", "/system", "/nowhere", "/sign-in", "/"):
        headers = person.client.get(address).headers
        assert headers["Content-Security-Policy"] == POLICY, address
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "Strict-Transport-Security" not in headers
    assert person.client.get("/queue").headers["Cache-Control"] == "no-store"
    for rule in ("script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "default-src 'none'"):
        assert rule in POLICY
    assert "unsafe" not in POLICY


def test_production_asks_for_https_and_binds_its_cookies_to_it(tmp_path: Path) -> None:
    office = Office(tmp_path, mode="production")
    client = office.application().test_client()
    response = client.get("/sign-in", base_url="https://localhost")
    assert response.headers["Strict-Transport-Security"].startswith("max-age=63072000")
    cookies = [c for c in response.headers.getlist("Set-Cookie") if "form" in c]
    assert cookies and all(c.startswith("__Host-") and "Secure" in c and "HttpOnly" in c for c in cookies)
    assert client.get("/demo", base_url="https://localhost").status_code == 404


def test_the_demo_page_is_there_in_the_demo_only(office: Office, app: Flask, tmp_path: Path) -> None:
    assert office.stranger(app).open("/demo").status == 404
    folder = tmp_path / "demo"
    folder.mkdir()
    demo = Office(folder, demo=True)
    page = Person(demo.application().test_client()).open("/demo")
    assert page.status == 200 and "Send a demo mail" in page.headings


def test_health_is_told_without_a_word_of_what_is_inside(office: Office, app: Flask) -> None:
    office.notice(GRAVE)
    client = app.test_client()
    assert client.get("/healthz").json == {"alive": True}
    ready = client.get("/readyz")
    assert set(ready.json or {}) == {"ready", "broken"}


def test_the_table_gives_changes_to_workers_only() -> None:
    for endpoint, roles in ROUTES.items():
        if endpoint.startswith("case.") and endpoint not in ("case.page", "case.original", "case.document"):
            assert not roles & {"auditor", "records", "admin"}, endpoint
        if endpoint.startswith(("case.", "queue.")):
            assert "admin" not in roles and not roles & ANYBODY, endpoint


def test_an_operator_is_not_told_that_a_provider_has_no_cases(office: Office, app: Flask) -> None:
    office.notice(GRAVE)
    page = office.person(app, "admin").open("/providers/kowhai")
    assert "None that you may open." in page.text and "Breach notice: 0" not in page.text
