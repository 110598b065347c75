"""The shapes of a form edition: frozen values, no behaviour beyond look-up, nothing but the standard library.

A form is data (`forms/editions/KIND/EDITION.toml`); `forms.load` reads it strictly into these dataclasses; each face (web,
PDF, JSON schema) and every check is derived from them. Nothing here knows about a provider, a mail or a case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What kind of answer a question takes, and so what its canonical answer looks like."""

    TEXT = "text"  # one line: str, NFC, no trailing space
    LONG_TEXT = "long_text"  # several lines: str, NFC, LF line ends
    EMAIL = "email"  # str as given, trimmed
    PHONE = "phone"  # str as given, trimmed
    CHOICE = "choice"  # the code of one choice
    MULTI = "multi"  # sorted list of codes
    DATE = "date"  # YYYY-MM-DD
    MONTH = "month"  # YYYY-MM
    TIME = "time"  # RFC 3339 with its offset, seconds always
    NUMBER = "number"  # int, zero or more
    TICK = "tick"  # true, or not answered
    PARTS = "parts"  # object of its parts: {part: canonical answer of the part}
    REGISTER = "register"  # list of rows, each an object {column: canonical answer of the column}


class Required(StrEnum):
    """When an answer is needed. A breach notice can be sent without any of them; a gap in it is a question back."""

    ALWAYS = "always"
    BEFORE_CLOSING = "before_closing"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Choice:
    code: str
    label: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """When a question applies: a tree in disjunctive form, as the edition file states it.

    `any_of` holds groups; the condition is true when every term of one group is true. A term is (question id, codes): true when
    the answer is one of the codes, or shares one with them. A term with an unanswered question is false. An empty `any_of`
    means always.
    """

    any_of: tuple[tuple[tuple[str, tuple[str, ...]], ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Control:
    """One safeguard of a self-assessment. A gap is partly, no or dont_know on a control that applies."""

    level: int  # 1 baseline, 2 further
    group: str
    key: bool  # a gap in a key control is shown first
    in_place: str  # the sentence after "In place when"


@dataclass(frozen=True, slots=True)
class Question:
    id: str  # stable over editions while the meaning is the same; letters, digits, - and _, never a full stop
    kind: Kind
    label: str
    short: str  # two to five words for summaries and tables
    hint: str = ""
    choices: tuple[Choice, ...] = ()
    parts: tuple[Question, ...] = ()  # of kind PARTS: part ids are bare ("n"), fields are named ID.part
    columns: tuple[Question, ...] = ()  # of kind REGISTER: column ids are bare, fields are named ID[n].column, n from 1
    max_rows: int = 0
    required: Required = Required.NEVER
    applies: Condition = Condition()
    control: Control | None = None
    max_length: int = 0  # characters; 0 for none
    lines: int = 1  # height of the box on paper, and rows of a text area
    autocomplete: str = ""
    source: str = ""  # section of the Act, IPP, FAQ ...

    def choice(self, code: str) -> Choice | None:
        return next((c for c in self.choices if c.code == code), None)


@dataclass(frozen=True, slots=True)
class Section:
    id: str
    title: str
    intro: str = ""
    stage: str = ""  # breach notice: "A" tell us now, "B" details; else empty
    questions: tuple[Question, ...] = ()


@dataclass(frozen=True, slots=True)
class Paper:
    """What the PDF says beside the questions."""

    publisher: str = ""  # the organisation that asks: the document's author
    purpose: str = ""  # under the title: who the form is for, and what for
    notes: tuple[tuple[str, str], ...] = ()  # how to fill it in: the bold beginning of each, and the rest
    footer: str = ""  # on every page


@dataclass(frozen=True, slots=True)
class Form:
    kind: str  # "it-self-assessment" or "breach-notice"
    edition: str  # "2026.1"
    title: str
    sections: tuple[Section, ...]
    about: str = ""  # what the form says of its own origin
    attestation: str = ""
    paper: Paper = Paper()
    gap_codes: tuple[str, ...] = ()  # answers to a control that are a gap
    questions: tuple[Question, ...] = field(init=False, repr=False, compare=False)  # of all sections, in order
    plan: Question | None = field(init=False, repr=False, compare=False)  # the register of plans for its own controls
    timed: tuple[Question, ...] = field(init=False, repr=False, compare=False)  # that are a time, or have one as a part
    _by_id: Mapping[str, Question] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # A page asks for them a hundred times, so they are put together once.
        questions = tuple(q for s in self.sections for q in s.questions)
        object.__setattr__(self, "questions", questions)
        object.__setattr__(self, "plan", next((q for q in questions if _is_plan(q, questions)), None))
        object.__setattr__(
            self, "timed", tuple(q for q in questions if Kind.TIME in {q.kind, *(p.kind for p in q.parts)})
        )
        object.__setattr__(self, "_by_id", {q.id: q for q in questions})

    @property
    def name(self) -> str:
        """`KIND@EDITION`, as commands and files name it."""
        return f"{self.kind}@{self.edition}"

    def question(self, question_id: str) -> Question | None:
        return self._by_id.get(question_id)


def _is_plan(question: Question, questions: Sequence[Question]) -> bool:
    """A register with a row for each control of the form that is a gap."""
    controls = {q.id for q in questions if q.control}
    return bool(controls) and any(
        c.id == "control" and {x.code for x in c.choices} == controls for c in question.columns
    )


# Canonical answers by question id. A value is plain JSON: str, int, True, list of codes, object of parts, list of row objects.
Answers = dict[str, object]


@dataclass(frozen=True, slots=True)
class Problem:
    """An answer that is missing, unreadable or contradictory, said in a sentence for the person who fills the form in."""

    id: str  # question id, `ID.part` or `ID[n].column`
    code: str  # missing, unreadable, unknown_choice, too_long, reason_missing, plan_missing, which_time, contradiction ...
    message: str  # how to mend it, plain English, no blame
    written: str = ""  # what stood there, when it could not be read: a person may understand it

    @property
    def question(self) -> str:
        return question_of(self.id)


def question_of(field: str) -> str:
    """The question that a field belongs to: `B10.n` to B10, `DEV[2].kind` to DEV."""
    return field.partition(".")[0].partition("[")[0]


@dataclass(frozen=True, slots=True)
class Box:
    """Where a field stands on the issued PDF. Points from the page's top left: left, top, right, bottom."""

    page: int  # from 1
    name: str  # full field name: ID, ID.part, ID.code, ID[n].column
    code: str  # for a radio or a checkbox of a multiple choice the choice it stands for, else ""
    rect: tuple[float, float, float, float]
