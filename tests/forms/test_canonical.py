"""Whatever face the fields come from, the same answers come out, and nothing that somebody types breaks it."""

from __future__ import annotations

import json
import random
import unicodedata
from datetime import UTC, date, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forms.canonical import canonical, encode, flat, shown
from forms.load import form, forms
from forms.schema import Answers, Form, Question
from tests.support.random_answers import random_answers

NOTICE = form("breach-notice")
ASSESSMENT = form("it-self-assessment")
EDITIONS = st.sampled_from(forms())
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def asked(question_id: str, of: Form = NOTICE) -> Question:
    found = of.question(question_id)
    assert found is not None
    return found


def read(**raw: object) -> Answers:
    return canonical(NOTICE, raw)[0]


def codes(raw: dict[str, object], of: Form = NOTICE) -> list[tuple[str, str]]:
    return [(p.id, p.code) for p in canonical(of, raw)[1]]


# ---------------------------------------------------------------- properties


@QUICK
@given(EDITIONS, st.integers(0, 10**9))
def test_canonical_answers_pass_unchanged_and_their_fields_read_back_to_the_same_bytes(
    edition: Form, seed: int
) -> None:
    answers = random_answers(edition, random.Random(seed))
    assert canonical(edition, answers) == (answers, ())
    again, problems = canonical(edition, flat(edition, answers))
    assert (encode(again), problems) == (encode(answers), ())


@QUICK
@given(EDITIONS, st.integers(0, 10**9))
def test_labels_shown_to_people_read_back_to_the_codes(edition: Form, seed: int) -> None:
    answers = random_answers(edition, random.Random(seed))
    for question in (q for q in edition.questions if q.choices and q.id in answers):
        value = answers[question.id]
        labels: object = shown(question, value)
        if isinstance(value, list):
            labels = [c.label.upper() for c in question.choices if c.code in value]
        assert canonical(edition, {question.id: labels}) == ({question.id: value}, ())


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True)
    | st.text(max_size=40)
    | st.binary(max_size=8)
    | st.dates()
    | st.datetimes()
    | st.sampled_from(
        ["22/11/2026", "about 40", "on", "I don’t know yet", "\ud800", "9" * 400, "2026-11-22T99:99:99Z"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def hostile_fields(draw: st.DrawFn) -> tuple[Form, dict[object, object]]:
    edition = draw(EDITIONS)
    names = [
        name
        for q in edition.questions
        for name in (q.id, *(f"{q.id}.{p.id}" for p in q.parts), *(f"{q.id}.{c.code}" for c in q.choices[:2]))
    ]
    names += [f"{q.id}[{n}].{c.id}" for q in edition.questions for c in q.columns for n in (0, 1, 9999)]
    name = st.sampled_from(names) | st.text(max_size=12) | st.integers()
    return edition, draw(st.dictionaries(name, JUNK, max_size=12))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(hostile_fields())
def test_no_input_raises_and_what_comes_out_is_canonical(sent: tuple[Form, dict[object, object]]) -> None:
    edition, raw = sent
    answers, problems = canonical(edition, raw)  # type: ignore[arg-type]
    assert canonical(edition, answers)[0] == answers
    assert json.loads(encode(answers)) == answers
    assert all(p.message and p.id for p in problems)


# ---------------------------------------------------------------- choices


@pytest.mark.parametrize(
    "written", ["dont_know", "DONT_KNOW", "I don’t know", "i don't know", " I  don't know. ", ["dont_know"]]
)
def test_a_choice_is_read_by_its_code_or_its_label(written: object) -> None:
    assert read(A07=written) == {"A07": "dont_know"}


def test_a_label_is_read_however_its_macrons_are_encoded() -> None:
    label = unicodedata.normalize("NFD", "Whānau, supporters or witnesses")
    assert read(**{"B11": [label]}) == {"B11": ["whanau_witness"]}


@pytest.mark.parametrize(("question", "code"), [("B05", "unknown"), ("B18", "not_sure"), ("B24", "dont_know")])
def test_not_knowing_finds_the_choice_that_says_so_whatever_its_code(question: str, code: str) -> None:
    assert read(**{question: "dont_know_yet"}) == {question: code}


@pytest.mark.parametrize("empty", ["", "  ", "Off", None, []])
def test_an_empty_choice_is_not_answered_and_no_problem(empty: object) -> None:
    assert canonical(NOTICE, {"A07": empty}) == ({}, ())


@pytest.mark.parametrize("answer", ["perhaps", "yes and no"])
def test_another_word_is_not_guessed(answer: str) -> None:
    assert canonical(NOTICE, {"A07": answer})[0] == {}
    assert codes({"A07": answer}) == [("A07", "unknown_choice")]
    assert codes({"A07": ["yes", "no"]}) == [("A07", "unreadable")]


@pytest.mark.parametrize(
    "raw",
    [
        {"B06": ["sent", "seen", "seen"]},
        {"B06": "sent; Seen or heard by somebody who should not"},
        {"B06.seen": "yes", "B06.sent": True, "B06.lost": "Off", "B06.changed": ""},
        {"B06": "seen", "B06.sent": "1"},
        {"B06": {"seen": True, "sent": "on", "lost": False}},
    ],
)
def test_a_multiple_choice_is_a_sorted_list_whatever_its_fields_look_like(raw: dict[str, object]) -> None:
    assert canonical(NOTICE, raw) == ({"B06": ["seen", "sent"]}, ())


def test_the_good_ticks_stay_when_one_is_unknown() -> None:
    assert canonical(NOTICE, {"B06": ["seen", "sold"]})[0] == {"B06": ["seen"]}
    assert codes({"B06.seen": "on", "B06.sold": "on"}) == [("B06", "unknown_choice")]


def test_hidden_fields_and_fields_of_another_form_are_ignored() -> None:
    assert canonical(
        NOTICE, {"_form": "breach-notice", "_edition": "2026.1", "csrf_token": "x", "L1-DEV-01": "no"}
    ) == (
        {},
        (),
    )


# ---------------------------------------------------------------- text, dates, numbers


def test_text_is_nfc_with_lf_and_without_space_at_its_end() -> None:
    written = unicodedata.normalize("NFD", "Tōtara\r\nwhānau\u2028end \t\r\n")
    assert read(A06=written) == {"A06": "Tōtara\nwhānau\nend"}
    assert read(A01="  Tōtara\r\n Trust ") == {"A01": "Tōtara Trust"}
    assert read(A06=" \n\r\n ") == {}
    assert read(A06="a\x00b\ud800c") == {"A06": "ab\ufffdc"}


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-22", "22/11/2026", "22 November 2026", "22 11 2026", "22.11.26", "22-11-2026", "22 nov 26", "22nov2026",
        "Sunday 22nd November, 2026", "November 22, 2026", "the 22nd of November 2026", "22 Whiringa-ā-rangi 2026",
        "2026/11/22", date(2026, 11, 22), datetime(2026, 11, 22, 0, 0),
    ],
)  # fmt: skip
def test_a_date_is_read_as_people_here_write_it(written: object) -> None:
    assert canonical(NOTICE, {"B19-date": written}) == ({"B19-date": "2026-11-22"}, ())


@pytest.mark.parametrize(
    "written", ["31/02/2026", "11/22/2026", "22 November", "soon", "22/11/0026", "1/2/3/4", True, 5, b"x"]
)
def test_a_date_that_cannot_be_read_is_not_guessed(written: object) -> None:
    assert canonical(NOTICE, {"B19-date": written})[0] == {}
    assert codes({"B19-date": written}) == [("B19-date", "unreadable")]


@pytest.mark.parametrize(
    "written", ["06/2027", "6 2027", "June 2027", "jun 27", "06/27", "2027-06", "15 June 2027", "Pipiri 2027"]
)
def test_a_month_is_read_as_people_write_it(written: str) -> None:
    assert read(**{"B26-by": written}) == {"B26-by": "2027-06"}


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("1,200", 1200),
        ("about 40", 40),
        ("~40", 40),
        ("40 or so", 40),
        ("1 200", 1200),
        ("0", 0),
        (12, 12),
        (12.0, 12),
        ("approx. 9", 9),
    ],
)
def test_a_number_is_read_as_people_write_it(written: object, number: int) -> None:
    assert canonical(NOTICE, {"B10.n": written}) == ({"B10": {"n": number}}, ())


@pytest.mark.parametrize(
    "written", ["10-20", "10 or 20", "-3", "2.5", "40 thousand", "many", 2.5, -1, True, float("nan"), "9" * 50]
)
def test_a_number_that_can_mean_several_things_is_asked_again(written: object) -> None:
    assert codes({"B10.n": written}) == [("B10.n", "unreadable")]


# ---------------------------------------------------------------- times


@pytest.mark.parametrize(
    "written",
    [
        "22/11/2026 8:10 pm", "22 11 2026, 8:10 pm", "22 November 2026 20:10", "20:10 22/11/2026", "8.10pm 22 Nov 2026",
        "Sunday 22 November 2026 at 8:10 p.m.", "2010 hrs, 22.11.26", "2026-11-22T20:10", "2026-11-22T20:10:00+13:00",
        "22/11/2026 - 8:10pm", "2026-11-22 20:10",
    ],
)  # fmt: skip
def test_a_time_is_read_in_new_zealand_time(written: str) -> None:
    assert canonical(NOTICE, {"A08.at": written}) == ({"A08": {"at": "2026-11-22T20:10:00+13:00"}}, ())
    assert canonical(NOTICE, {"A08": written}) == ({"A08": {"at": "2026-11-22T20:10:00+13:00"}}, ())
    assert read(B01=written) == {"B01": "2026-11-22T20:10:00+13:00"}


@pytest.mark.parametrize(
    ("written", "at"),
    [("noon", "12:00"), ("12 pm", "12:00"), ("12am", "00:00"), ("midnight", "00:00"), ("7 a.m.", "07:00")],
)
def test_noon_and_midnight_are_read(written: str, at: str) -> None:
    assert read(B01=f"22/06/2026 {written}") == {"B01": f"2026-06-22T{at}:00+12:00"}


def test_a_time_in_the_chatham_islands_has_their_offset() -> None:
    raw = {"A08.at": "22/11/2026 8:10 pm", "A08.zone": "Chatham Islands"}
    answers, _ = canonical(NOTICE, raw)
    assert answers == {"A08": {"at": "2026-11-22T20:10:00+13:45", "zone": "Pacific/Chatham"}}


def test_about_in_the_words_of_a_time_ticks_the_box() -> None:
    assert read(**{"A08.at": "about 8 pm 22/11/2026"}) == {"A08": {"at": "2026-11-22T20:00:00+13:00", "about": True}}


def test_a_day_without_a_time_counts_from_its_start_and_is_asked_about() -> None:
    answers, problems = canonical(NOTICE, {"A08.at": "22/11/2026"})
    assert answers == {"A08": {"at": "2026-11-22T00:00:00+13:00", "about": True}}
    assert [(p.id, p.code) for p in problems] == [("A08.at", "time_missing")]


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("27/9/2026 2:30 am", datetime(2026, 9, 26, 13, 30, tzinfo=UTC)),
        ("4/4/2027 2:30 am", datetime(2027, 4, 3, 13, 30, tzinfo=UTC)),
    ],
)
def test_T21_a_time_that_does_not_exist_or_came_twice_is_taken_as_the_earlier_instant_and_asked_about(
    written: str, instant: datetime
) -> None:
    answers, problems = canonical(NOTICE, {"A08.at": written})
    aware = answers["A08"]
    assert isinstance(aware, dict)
    assert datetime.fromisoformat(str(aware["at"])) == instant
    assert [(p.id, p.code) for p in problems] == [("A08.at", "which_time")]
    assert canonical(NOTICE, {"A08.at": written, "A08.about": "on"})[1] == ()


@pytest.mark.parametrize(
    "written", ["25:00 22/11/2026", "8:75 pm 22/11/2026", "13 am 22/11/2026", "20:10", "this morning", 5]
)
def test_a_time_that_cannot_be_read_is_asked_again_and_the_rest_is_kept(written: object) -> None:
    answers, problems = canonical(NOTICE, {"A08.at": written, "A08.zone": "Pacific/Chatham"})
    assert answers == {"A08": {"zone": "Pacific/Chatham"}}
    assert [(p.id, p.code) for p in problems] == [("A08.at", "unreadable")]
    assert "22 11 2026, 8:10 pm" in problems[0].message


# ---------------------------------------------------------------- registers


def test_rows_that_are_empty_are_dropped_and_the_others_keep_their_order() -> None:
    raw = {
        "DEV[3].kind": "Phone",
        "DEV[3].opens.email": "on",
        "DEV[1].kind": "laptop",
        "DEV[1].mitigations": ["updates_on", "Encrypted"],
        "DEV[1].review_by": "June 2027",
        "DEV[2].kind": "Off",
        "DEV[2].residual_note": "  ",
        "DEV[2].opens.email": "",
    }
    assert canonical(ASSESSMENT, raw) == (
        {
            "DEV": [
                {"kind": "laptop", "mitigations": ["encryption", "updates_on"], "review_by": "2027-06"},
                {"kind": "phone", "opens": ["email"]},
            ]
        },
        (),
    )


def test_rows_of_the_plan_stand_in_the_order_of_the_form() -> None:
    raw = {
        "PLAN[1].control": "L1-INC-01",
        "PLAN[2].what": "Something else",
        "PLAN[3].control": "L1-DEV-03",
        "PLAN[4].control": "l1-acct-01",
        "PLAN[5].control": "Encryption (L1-DEV-03)",
        "PLAN[5].what": "Again",
    }
    rows = canonical(ASSESSMENT, raw)[0]["PLAN"]
    assert rows == [
        {"control": "L1-ACCT-01"},
        {"control": "L1-DEV-03"},
        {"control": "L1-DEV-03", "what": "Again"},
        {"control": "L1-INC-01"},
        {"what": "Something else"},
    ]


def test_a_problem_in_a_row_names_its_field() -> None:
    assert codes({"PLAN[2].by": "next year"}, ASSESSMENT) == [("PLAN[2].by", "unreadable")]


# ---------------------------------------------------------------- bytes and words


def test_the_bytes_of_answers_do_not_depend_on_their_order() -> None:
    one = encode({"B06": ["seen"], "A01": "Tōtara"})
    assert one == encode({"A01": "Tōtara", "B06": ["seen"]}) == '{"A01":"Tōtara","B06":["seen"]}'.encode()


@pytest.mark.parametrize(
    ("question", "value", "words"),
    [
        ("A07", "dont_know", "I don’t know"),
        ("A07", "no_such_code", "no_such_code"),
        ("A08", {"at": "2026-11-23T07:30:00+13:00", "about": True}, "Monday 23 November 2026, about 7:30 am"),
        ("A08", {"at": "2026-11-22T18:30:00+00:00"}, "Monday 23 November 2026, 7:30 am"),
        (
            "A08",
            {"at": "2026-11-22T20:10:00+13:45", "zone": "Pacific/Chatham"},
            "Sunday 22 November 2026, 8:10 pm (Chatham Islands time)",
        ),
        ("B01", "2026-06-22T00:00:00+12:00", "Monday 22 June 2026, 12:00 am"),
        (
            "B06",
            ["seen", "sent"],
            "Seen or heard by somebody who should not, Sent or given to somebody who should not have it",
        ),
        ("B10", {"n": 1200, "kind": "estimate"}, "1,200 (a guess)"),
        ("B10", {"kind": "unknown"}, "I don’t know yet"),
        ("B16", {"physical": "none", "threats": "dont_know"}, "Physical harm: not likely; Threats: I don’t know yet"),
        ("B19-date", "2026-11-22", "22 November 2026"),
        ("B26-by", "2027-06", "June 2027"),
        ("B01-about", True, "Yes"),
        ("A06", "Two\nlines", "Two\nlines"),
        ("A06", None, ""),
        ("B19-date", "soon", "soon"),
        ("A08", {"at": "soon"}, "soon"),
    ],
)
def test_a_person_reads_words(question: str, value: object, words: str) -> None:
    assert shown(asked(question), value) == words


def test_a_person_reads_a_row_of_a_register_as_one_line() -> None:
    rows = [{"kind": "laptop", "how_many": 2, "mitigations": ["encryption", "screen_lock"], "review_by": "2027-06"}]
    words = "Device: Laptop; How many: 2; What you do instead: Screen lock, Encrypted; Look again: June 2027"
    assert shown(asked("DEV", ASSESSMENT), rows) == words
