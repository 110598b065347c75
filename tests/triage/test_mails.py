"""What leaves: fixed words, a reference, times; nothing of what was written to us."""

from __future__ import annotations

import itertools
import re
import string
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.load import form
from intake.config import load
from intake.domain.clocks import due_for_assessment, due_for_notice, due_for_other
from intake.domain.model import CaseKind, Due
from intake.mail_text import ACKNOWLEDGEMENTS, TEMPLATES, Composer
from intake.ports import NewMail

AT = datetime(2026, 11, 22, 20, 5, tzinfo=UTC)  # Monday 23 November 2026, 9:05 am in New Zealand
DUES = {
    CaseKind.BREACH_NOTICE: due_for_notice("S1", AT, None),
    CaseKind.SELF_ASSESSMENT: due_for_assessment(AT),
    CaseKind.OTHER: due_for_other(AT),
}


def _composer() -> Composer:
    return Composer(load({"INTAKE_BASE_URL": "https://intake.ministry.example"}))


def _ack(template: str, kind: CaseKind, **more: object) -> NewMail:
    values: dict[str, object] = {
        "template": template,
        "dedupe": "ack:1",
        "to": "office@kowhai-trust.example",
        "reference": "BN-5R8M-6",
        "kind": kind,
        "received_at": AT,
        "due": DUES[kind],
    }
    return _composer().acknowledgement(**{**values, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(("template", "kind"), [*itertools.product(ACKNOWLEDGEMENTS, CaseKind)])
def test_every_acknowledgement_has_reference_time_phone_and_a_greeting(template: str, kind: CaseKind) -> None:
    mail = _ack(template, kind)
    assert mail.body.startswith("Kia ora\n\n") and "Ngā mihi" in mail.body
    assert "BN-5R8M-6" in mail.body and "BN-5R8M-6" in mail.subject
    assert "Monday 23 November 2026, 9:05 am (New Zealand time)" in mail.body
    assert template == "acknowledgement_staff" or "0800 000 000" in mail.body
    assert "\n\n\n" not in mail.body and mail.body.endswith("\n")
    assert max(map(len, mail.body.splitlines())) <= 78
    assert not re.search(r"[!{}<>]", mail.body), "no exclamation mark, no template left over"


def test_a_breach_notice_is_answered_with_danger_first_and_the_time_of_the_call() -> None:
    body = _ack("acknowledgement_full", CaseKind.BREACH_NOTICE).body
    assert "We contact you by 10:05 am today" in body
    assert body.index("CALL 111 NOW") < body.index("What happens next")
    assert "72 hours" in body and "We never ask for a password" in body


def test_a_self_assessment_is_answered_with_the_day_on_which_it_is_read() -> None:
    body = _ack("acknowledgement_full", CaseKind.SELF_ASSESSMENT).body
    assert "A person reads it by 5:00 pm on Monday 30 November 2026." in body
    assert "A gap is not a failure." in body


def test_a_doubtful_sender_hears_no_details() -> None:
    for template in ("acknowledgement_neutral", "acknowledgement_advice"):
        mail = _ack(template, CaseKind.BREACH_NOTICE)
        assert "privacy-breach notice" not in mail.subject + mail.body
        assert "10:05 am today" not in mail.body


def test_a_personal_account_is_told_how_to_send_from_a_work_account() -> None:
    held = _ack("acknowledgement_advice", CaseKind.SELF_ASSESSMENT).body
    assert "send it again\nfrom your work account" in held
    opened = _ack("acknowledgement_advice", CaseKind.BREACH_NOTICE).body
    assert "It is open and our clock runs." in opened and "send it again\n" not in opened


def test_an_acknowledgement_says_that_a_machine_wrote_it() -> None:
    headers = dict(_ack("acknowledgement_full", CaseKind.OTHER).headers)
    assert headers["Auto-Submitted"] == "auto-replied"
    assert headers["X-Auto-Response-Suppress"] == "All"


@pytest.mark.parametrize(
    "message_id",
    [
        "<a@b.example>\r\nBcc: victim@elsewhere.example",
        "=?utf-8?q?=0D=0ABcc=3A_victim=40elsewhere.example?=",
        "<two words@b.example>",
        "a@b.example",
        "<" + "a" * 500 + "@b.example>",
        "<kōwhai@b.example>",
        "",
    ],
)
def test_a_message_id_that_is_not_plainly_one_makes_no_header(message_id: str) -> None:
    mail = _ack("acknowledgement_full", CaseKind.OTHER, in_reply_to=message_id)
    assert "In-Reply-To" not in dict(mail.headers)


def test_a_plain_message_id_threads_the_answer() -> None:
    headers = dict(_ack("acknowledgement_full", CaseKind.OTHER, in_reply_to="<m1.2@mail.example>").headers)
    assert headers["In-Reply-To"] == headers["References"] == "<m1.2@mail.example>"


@given(st.text(string.printable + "āēīōū\u202e\x00", max_size=80))
def test_no_header_ever_holds_a_line_break_or_anything_but_its_own_value(message_id: str) -> None:
    mail = _ack("acknowledgement_full", CaseKind.OTHER, in_reply_to=message_id)
    built = EmailMessage(policy=policy.SMTP)
    for name, value in mail.headers:
        assert "\r" not in value and "\n" not in value and value.isascii()
        built[name] = value
    assert "Bcc" not in built


def test_questions_are_asked_in_the_forms_own_words_and_only_those_that_it_has() -> None:
    mail = _composer().ask_for_more(
        dedupe="ask:1",
        to="office@kowhai-trust.example",
        reference="BN-5R8M-6",
        form="breach-notice@2026.1",
        questions=["B10", "B14"],
        answer_by=AT + timedelta(hours=4),
        now=AT,
    )
    for question_id in ("B10", "B14"):
        question = form("breach-notice@2026.1").question(question_id)
        assert question is not None and f"{question_id}  {question.label}" in mail.body
    assert mail.subject == "2 questions about BN-5R8M-6"
    with pytest.raises(KeyError):
        _composer().ask_for_more(
            dedupe="x", to="a@b.example", reference="BN-5R8M-6", form="breach-notice@2026.1",
            questions=["<script>"], answer_by=AT, now=AT,
        )  # fmt: skip


def test_an_unknown_template_is_refused_before_a_file_is_looked_for() -> None:
    with pytest.raises(KeyError):
        _ack("../layout", CaseKind.OTHER)


def test_every_mail_template_is_used_and_plain() -> None:
    for path in (TEMPLATES / "mail").glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        assert "safe" not in re.findall(r"\|\s*(\w+)", text), path.name
        assert not {"subject", "body", "sender", "name", "answers"} & set(re.findall(r"{{\s*(\w+)", text)), path.name


def test_a_due_time_that_is_not_counted_is_left_out_in_words() -> None:
    body = _ack("acknowledgement_full", CaseKind.BREACH_NOTICE, due=Due()).body
    assert "A person reads it and contacts you" in body and "by ," not in body
