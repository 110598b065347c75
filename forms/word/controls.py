"""Content controls: one for each field, its tag the field's name on every other face, so that a reader needs no map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from forms.pdf.plan import PaperField
from forms.word.markup import plain, run

Values = Mapping[str, str | list[str] | bool]
LONGEST_NAME = 64  # characters: Word takes no more for a tag or a title
WRITE, CHOOSE = "Click here to write", "Choose one"
ON, OFF = "☒", "☐"


@dataclass(slots=True)
class Controls:
    """Makes the controls of one file, numbered in their order; `values` are written into them by field name."""

    values: Values
    made: int = 0

    def text(self, field: PaperField) -> str:
        kind = '<w:text w:multiLine="1"/>' if field.lines > 1 else "<w:text/>"
        return self._control(field, kind, str(self.values.get(field.name) or ""), WRITE)

    def choice(self, field: PaperField, options: Sequence[tuple[str, str]]) -> str:
        """A drop-down list. options: code and label of each."""
        value = self.values.get(field.name)
        shown = next((label for code, label in options if code == value), "")
        items = "".join(
            f'<w:listItem w:displayText="{plain(label)}" w:value="{plain(code)}"/>'
            for code, label in (("", CHOOSE), *options)
        )
        last = f' w:lastValue="{plain(str(value))}"' if shown else ""
        return self._control(field, f"<w:dropDownList{last}>{items}</w:dropDownList>", shown, CHOOSE)

    def box(self, field: PaperField) -> str:
        on = self.values.get(field.name) is True
        kind = (
            f'<w14:checkbox><w14:checked w14:val="{int(on)}"/><w14:checkedState w14:val="2612" w14:font="MS Gothic"/>'
            '<w14:uncheckedState w14:val="2610" w14:font="MS Gothic"/></w14:checkbox>'
        )
        return self._around(field.name, _title(field), kind, run(ON if on else OFF, "Box"))

    def locked(self, name: str, title: str, text: str) -> str:
        """Words that nobody changes by accident."""
        return self._around(name, title, "<w:text/>", run(text), "sdtContentLocked")

    def _control(self, field: PaperField, kind: str, text: str, empty: str) -> str:
        if text:
            return self._around(field.name, _title(field), kind, run(text))
        asked = "<w:showingPlcHdr/>" + kind
        return self._around(field.name, _title(field), asked, run(empty, "PlaceholderText"))

    def _around(self, name: str, title: str, kind: str, inside: str, lock: str = "sdtLocked") -> str:
        self.made += 1
        return (
            f'<w:sdt><w:sdtPr><w:alias w:val="{plain(title)}"/><w:tag w:val="{plain(name)}"/><w:id w:val="{self.made}"/>'
            f'<w:lock w:val="{lock}"/>{kind}</w:sdtPr><w:sdtContent>{inside}</w:sdtContent></w:sdt>'
        )


def _title(field: PaperField) -> str:
    """What is said of the control. When the whole is too long for Word, its last part: that is the one that differs."""
    whole = field.spoken
    if len(whole) > LONGEST_NAME:
        whole = whole.rsplit(": ", 1)[-1]
    return whole if len(whole) <= LONGEST_NAME else whole[: LONGEST_NAME - 1].rstrip() + "…"
