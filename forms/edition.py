"""The strict reading of one edition: from the tables of a TOML file to the shapes of `forms.schema`, or a `FormError`.

Every key must be known, every id and code must be there once, every condition must name a question and a code of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from forms.schema import Choice, Condition, Control, Form, Kind, Paper, Question, Required, Section

_CODE = re.compile(r"[a-z0-9_.+<>-]+|[A-Z][A-Za-z]+/[A-Z][A-Za-z_]+")  # the second: a time zone
_ID = re.compile(r"[A-Za-z0-9_-]+")
_CONTROLS_OF = re.compile(r"controls of (\S+)")
_CHOOSING = (Kind.CHOICE, Kind.MULTI)
_INSIDE = frozenset(Kind) - {Kind.PARTS, Kind.REGISTER}

_FORM_KEYS = {
    "kind": str,
    "edition": str,
    "title": str,
    "about": str,
    "attestation": str,
    "paper": dict,
    "sources": dict,
    "lists": dict,
    "control": dict,
    "conditions": dict,
    "section": list,
}
_SECTION_KEYS = {"id": str, "title": str, "intro": str, "stage": str, "question": list}
_PAPER_KEYS = {"publisher": str, "purpose": str, "notes": list, "footer": str}
_CONTROL_KEYS = {
    "choices": list,
    "gaps": list,
    "reason": str,
    "reason_label": str,
    "reason_short": str,
    "reason_length": int,
}
_COMMON = {
    "id": str,
    "kind": str,
    "label": str,
    "short": str,
    "hint": str,
    "applies": (str, list),
    "source": (str, list),
}
_QUESTION_KEYS: dict[str, Any] = _COMMON | {
    "choices": (str, list),
    "required": str,
    "max_length": int,
    "lines": int,
    "autocomplete": str,
    "max_rows": int,
    "part": list,
    "column": list,
}
_INNER_KEYS = {k: v for k, v in _QUESTION_KEYS.items() if k not in ("part", "column", "max_rows")}
_SAFEGUARD_KEYS: dict[str, Any] = _COMMON | {
    "level": int,
    "group": str,
    "key": bool,
    "in_place": str,
}

_Table = Mapping[str, Any]
_Terms = tuple[tuple[str, tuple[str, ...]], ...]


class FormError(ValueError):
    """An edition file that cannot be read, or a form that is not there.

    `file` is its path as given, `line` counts from 1 (0 when no line can be blamed), `reason` is a sentence; the
    message is all three.
    """

    def __init__(self, file: str, line: int, reason: str) -> None:
        super().__init__(f"{file}, line {line}: {reason}" if line else f"{file}: {reason}")
        self.file = file
        self.line = line
        self.reason = reason


class Reader:
    """Reads the table of one file into a form. `find` gives another form by its name, for lists that are kept there.

    `at` is the way to the table at hand, from the outside in: it tells the line when something there is wrong.
    """

    def __init__(self, file: str, text: str, table: dict[str, Any], find: Callable[[str], Form]) -> None:
        self.file = file
        self.lines = text.splitlines()
        self.table = table
        self.find = find
        self.at: list[_Table] = []
        self.conditions: dict[str, tuple[_Terms, ...]] = {}
        self.asked: list[tuple[str, str, list[_Table]]] = []  # (question, code, where) named by conditions
        self.controls: tuple[tuple[str, str], ...] = ()

    def form(self) -> Form:
        table = self.table
        self.keys(table, _FORM_KEYS, ("kind", "edition", "title", "section"), "the form")
        for name in table.get("conditions", {}):
            self.conditions[name] = self.named(name, ())
        self.controls = self.own_controls()
        sections = tuple(self.section(t) for t in table["section"])
        done = Form(
            kind=table["kind"],
            edition=table["edition"],
            title=table["title"],
            sections=sections,
            about=table.get("about", "").strip(),
            attestation=table.get("attestation", "").strip(),
            paper=self.paper(),
            gap_codes=tuple(table.get("control", {}).get("gaps", ())),
        )
        self.unique([s.id for s in sections], "section")
        self.unique([q.id for q in done.questions], "question")
        self.answerable(done)
        return done

    def paper(self) -> Paper:
        table = self.table.get("paper")
        if table is None:
            return Paper()
        self.at = [table]
        self.keys(table, _PAPER_KEYS, ("publisher", "purpose"), "[paper]")
        for note in table.get("notes", ()):
            fits = isinstance(note, list) and len(note) == 2 and all(isinstance(x, str) and x for x in note)
            self.expect(fits, f"a note is [beginning, rest], not {note!r}", "notes")
        notes = tuple((lead, rest) for lead, rest in table.get("notes", ()))
        return Paper(table["publisher"], table["purpose"].strip(), notes, table.get("footer", ""))

    # ------------------------------------------------------------ sections and questions

    def section(self, table: _Table) -> Section:
        self.at = [table] if isinstance(table, dict) else []
        self.keys(table, _SECTION_KEYS, ("id", "title", "question"), "a section")
        self.check_id(table["id"])
        questions: list[Question] = []
        for inner in table["question"]:
            self.at = [table]
            self.expect(isinstance(inner, dict), "a question is a table: [[section.question]]", "question")
            self.at = [table, inner]
            questions += self.safeguard(inner) if inner.get("kind") == "control" else [self.question(inner)]
        return Section(
            id=table["id"],
            title=table["title"],
            intro=table.get("intro", ""),
            stage=table.get("stage", ""),
            questions=tuple(questions),
        )

    def question(self, table: _Table, inner: bool = False) -> Question:
        what = f"question {table.get('id', '')}".strip()
        self.keys(table, _INNER_KEYS if inner else _QUESTION_KEYS, ("id", "kind", "label", "short"), what)
        self.check_id(table["id"])
        kind = self.one_of(Kind, table["kind"], "kind")
        self.expect(not inner or kind in _INSIDE, f"a part or column cannot be of kind {kind}", "kind")
        self.fits(table, kind)
        where = list(self.at)
        parts = tuple(self.inside(where, t) for t in table.get("part", ()))
        columns = tuple(self.inside(where, t) for t in table.get("column", ()))
        self.at = where
        for row in (parts, columns):
            self.siblings(row)
        return Question(
            id=table["id"],
            kind=kind,
            label=table["label"],
            short=table["short"],
            hint=table.get("hint", ""),
            choices=self.choices(table["choices"]) if kind in _CHOOSING else (),
            parts=parts,
            columns=columns,
            max_rows=table.get("max_rows", 0),
            required=self.one_of(Required, table.get("required", "never"), "required"),
            applies=self.condition(table.get("applies", "always"), remember=not inner),
            max_length=table.get("max_length", 0),
            lines=table.get("lines", 1),
            autocomplete=table.get("autocomplete", ""),
            source=self.source(table),
        )

    def inside(self, where: list[_Table], table: _Table) -> Question:
        self.at = where
        self.expect(isinstance(table, dict), "a part or column is a table of its own")
        self.at = [*where, table]
        return self.question(table, inner=True)

    def safeguard(self, table: _Table) -> list[Question]:
        """One control: the question how far it is in place, and the question why it does not apply."""
        must = ("id", "level", "group", "label", "short", "in_place", "applies")
        self.keys(table, _SAFEGUARD_KEYS, must, f"control {table.get('id', '')}".strip())
        self.check_id(table["id"])
        self.expect(table["level"] in (1, 2), "level is 1 or 2", "level")
        answers = self.table.get("control")
        self.expect(answers is not None, "a control needs the table [control] that says how it is answered")
        assert answers is not None
        about = Control(table["level"], table["group"], table.get("key", False), table["in_place"])
        asked = Question(
            id=table["id"],
            kind=Kind.CHOICE,
            label=table["label"],
            short=table["short"],
            hint=table.get("hint", ""),
            choices=self.choices(answers["choices"]),
            required=Required.ALWAYS,
            applies=self.condition(table["applies"]),
            control=about,
            source=self.source(table),
        )
        why = Question(
            id=f"{table['id']}-why",
            kind=Kind.TEXT,
            label=answers["reason_label"],
            short=answers["reason_short"],
            required=Required.ALWAYS,
            applies=Condition((((table["id"], (answers["reason"],)),),)),
            max_length=answers["reason_length"],
        )
        return [asked, why]

    def own_controls(self) -> tuple[tuple[str, str], ...]:
        answers = self.table.get("control")
        if answers is not None:
            self.at = [answers]
            self.keys(answers, _CONTROL_KEYS, tuple(_CONTROL_KEYS), "[control]")
            codes = {c.code for c in self.choices(answers["choices"])}
            for code in (*answers["gaps"], answers["reason"]):
                self.expect(
                    code in codes, f"[control] names the answer {code!r}, which is not one of its choices", "gaps"
                )
        return tuple(
            (str(q.get("id", "")), str(q.get("short", "")))
            for s in self.table["section"]
            for q in self.tables_in(s, "question")
            if q.get("kind") == "control"
        )

    def tables_in(self, table: object, key: str) -> list[_Table]:
        """The tables of a list; a list of other things has none, and `keys` says what is wrong with it."""
        given = table.get(key) if isinstance(table, dict) else None
        return [t for t in given if isinstance(t, dict)] if isinstance(given, list) else []

    # ------------------------------------------------------------ the small things

    def choices(self, given: str | list[Any]) -> tuple[Choice, ...]:
        if isinstance(given, str):
            return self.choices_named(given)
        self.expect(bool(given), "the list of choices is empty", "choices")
        made: list[Choice] = []
        for row in given:
            fits = isinstance(row, list) and 2 <= len(row) <= 3 and all(isinstance(x, str) and x for x in row)
            self.expect(fits, f"a choice is [code, label] or [code, label, hint], not {row!r}", "choices")
            self.expect(
                _CODE.fullmatch(row[0]) is not None, f"the code {row[0]!r} has other than a-z 0-9 _ . + < > -", row[0]
            )
            made.append(Choice(*row))
        for what, seen in (("code", [c.code for c in made]), ("label", [c.label.casefold() for c in made])):
            twice = next((x for x in seen if seen.count(x) > 1), "")
            self.expect(not twice, f"two choices have the {what} {twice!r}", twice)
        return tuple(made)

    def choices_named(self, name: str) -> tuple[Choice, ...]:
        if name == "controls":
            return tuple(Choice(i, f"{short} ({i})") for i, short in self.controls)
        elsewhere = _CONTROLS_OF.fullmatch(name)
        if elsewhere:
            # A notice names the safeguards of the self-assessment: one list, kept in one place.
            return tuple(Choice(q.id, q.short) for q in self.find(elsewhere[1]).questions if q.control)
        lists = self.table.get("lists", {})
        self.expect(name in lists, f"there is no list {name!r} in [lists]", "choices")
        return self.choices(lists[name])

    def condition(self, given: str | list[Any], remember: bool = True) -> Condition:
        if given == "always":
            return Condition()
        self.expect(isinstance(given, list) and bool(given), '"applies" is "always" or a list', "applies")
        assert isinstance(given, list)
        groups = tuple(g for term in given for g in self.groups(term, ()))
        if remember:
            self.asked += [(q, c, list(self.at)) for g in groups for q, codes in g for c in codes]
        return Condition(groups)

    def groups(self, term: object, through: tuple[str, ...]) -> tuple[_Terms, ...]:
        if isinstance(term, str):
            return self.conditions[term] if term in self.conditions else self.named(term, through)
        near = through[-1] if through else "applies"
        fits = isinstance(term, dict) and bool(term)
        self.expect(fits, f"a condition is a name or {{ QUESTION = [codes] }}, not {term!r}", near)
        assert isinstance(term, dict)
        for question, codes in term.items():
            good = isinstance(codes, list) and codes and all(isinstance(c, str) for c in codes)
            self.expect(bool(good), f"the condition on {question} needs a list of codes", near)
        return (tuple((q, tuple(codes)) for q, codes in term.items()),)

    def named(self, name: str, through: tuple[str, ...]) -> tuple[_Terms, ...]:
        given = self.table.get("conditions", {}).get(name)
        near = through[-1] if through else name
        self.expect(isinstance(given, list), f"there is no list {name!r} in [conditions]", near)
        self.expect(name not in through, f"the condition {name!r} leads back to itself", name)
        return tuple(g for term in given for g in self.groups(term, (*through, name)))

    def source(self, table: _Table) -> str:
        given = table.get("source", "")
        if isinstance(given, str):
            return given
        known = self.table.get("sources", {})
        for code in given:
            self.expect(code in known, f"there is no source {code!r} in [sources]", "source")
        return "; ".join(known[code] for code in given)

    # ------------------------------------------------------------ what must hold

    def keys(self, table: _Table, allowed: Mapping[str, Any], must: Sequence[str], what: str) -> None:
        self.expect(isinstance(table, dict), f"{what} is a table")
        for key, value in table.items():
            self.expect(key in allowed, f"{what} has the unknown key {key!r}", key)
            good = isinstance(value, allowed[key]) and not (isinstance(value, bool) and allowed[key] is int)
            self.expect(good, f"{what}: the value of {key!r} is of the wrong type", key)
        for key in must:
            self.expect(table.get(key) not in (None, ""), f"{what} has no {key}")

    def fits(self, table: _Table, kind: Kind) -> None:
        """A key stands where the kind has a use for it, and only there."""
        use = {"choices": kind in _CHOOSING, "part": kind is Kind.PARTS, "column": kind is Kind.REGISTER}
        use["max_rows"] = kind is Kind.REGISTER
        for key, used in use.items():
            self.expect(key in table or not used, f"question {table['id']} is of kind {kind} and has no {key}")
            self.expect(key not in table or used, f"question {table['id']} is of kind {kind}, which has no {key}", key)

    def siblings(self, inner: tuple[Question, ...]) -> None:
        """Parts and columns: ids once, and conditions that name one another."""
        self.unique([q.id for q in inner], "part or column")
        known = {q.id: q for q in inner}
        for q in inner:
            for name, codes in (term for group in q.applies.any_of for term in group):
                self.named_code(known.get(name), name, codes)

    def answerable(self, done: Form) -> None:
        known = {q.id: q for q in done.questions}
        for name, code, where in self.asked:
            self.at = where
            self.named_code(known.get(name), name, (code,))

    def named_code(self, question: Question | None, name: str, codes: Sequence[str]) -> None:
        self.expect(question is not None, f"the condition names the unknown question {name!r}", "applies")
        assert question is not None
        for code in codes:
            known = question.choice(code) is not None
            self.expect(known, f"the condition names the code {code!r}, which {name} does not have", "applies")

    def unique(self, ids: list[str], what: str) -> None:
        twice = next((i for i in ids if ids.count(i) > 1), "")
        if twice:
            lines = [n for n, text in enumerate(self.lines, 1) if _says(text, "id", twice)]
            raise FormError(self.file, lines[1] if len(lines) > 1 else 0, f"two {what}s have the id {twice!r}")

    def check_id(self, value: str) -> None:
        self.expect(_ID.fullmatch(value) is not None, f"the id {value!r} has other than letters, digits, - and _", "id")

    def one_of(self, names: type[Any], value: str, key: str) -> Any:
        known = [str(n) for n in names.__members__.values()]
        self.expect(value in known, f"{key} is one of {', '.join(known)}; it says {value!r}", key)
        return names(value)

    def expect(self, holds: bool, reason: str, near: str = "") -> None:
        if not holds:
            raise FormError(self.file, self.line(near), reason)

    def line(self, near: str) -> int:
        """tomllib gives no places, so the tables at hand are looked up by their ids, from the outside in."""
        here = 0
        for table in self.at:
            key, value = next(((k, v) for k, v in table.items() if isinstance(v, str) and v), ("", ""))
            key, value = ("id", table["id"]) if isinstance(table.get("id"), str) else (key, value)
            here = next((n for n in range(here, len(self.lines)) if _says(self.lines[n], key, value)), here)
        start = max(0, here - 1) if self.at else 0
        if near:
            name = re.escape(near)
            key, quoted, header = rf"^\s*[\"']?{name}[\"']?\s*=", rf"[\"']{name}[\"']", rf"^\s*\[[\w.\[]*\b{name}\]"
            at_key = re.compile(f"{key}|{quoted}|{header}", re.IGNORECASE)
            return next((n + 1 for n in range(start, len(self.lines)) if at_key.search(self.lines[n])), here + 1)
        return here + 1


def _says(line: str, key: str, value: str) -> bool:
    return re.match(rf"\s*{re.escape(key)}\s*=\s*[\"']{{1,3}}{re.escape(value[:40])}", line) is not None
