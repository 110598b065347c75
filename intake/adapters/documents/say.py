"""The sentence that goes with each problem of a document. Fixed words: nothing of the document is in them."""

from __future__ import annotations

from forms.schema import Problem
from intake.domain import wrappers

SENTENCES = {
    "empty": "The file is empty. Ask for it again.",
    "corrupt": "The file is damaged and cannot be read. Ask for it again.",
    "encrypted": "The file is locked with a password. Ask for the password by phone, never by mail.",
    "encrypted_mail": wrappers.LOCKED,
    "no_tnef": "The file is a winmail.dat, in which Outlook packs files. What opens it is not installed here, so a person opens it.",
    "wrapper_damaged": "The file is damaged or not what it says, so it was not opened. Ask for what is in it again.",
    "one_document": "The file is one document and not an archive.",
    "too_deep": wrappers.TOO_DEEP,
    "too_large": "The file is larger than we read. A person opens it.",
    "too_costly": "Reading the file took too much time or memory, so we stopped. A person opens it with care.",
    "crashed": "The reader stopped while it read this file. A person opens it with care.",
    "not_all_read": wrappers.NOT_ALL_READ,
    "active_content": "The file holds something that can run or open other files. Nothing of it was run.",
    "xfa_not_read": "The file is an XFA form, which most programs cannot show. Ask for it in another format.",
    "no_text_layer": "The pages are pictures, such as a scan. A person reads them.",
    "marks_only": "The pages are pictures of one of our forms. Only its marks were read. A person reads the words.",
    "words_on_paper": "Something is written here. A person reads it from the picture.",
    "not_our_form": "The file is not one of our forms. A person reads it.",
    "foreign_form": "The file is a form that can be filled in, but not one of ours. A person reads it.",
    "unknown_edition": "The file names an edition of the form that we do not have. A person reads it.",
    "old_edition": "The form is an older edition. It was read as that edition. Ask only what is new.",
    "missing_pages": "Some pages of the form are not in the file.",
    "not_aligned": "A page of the form was cut or bent in printing, so its boxes were not found. A person reads that page.",
    "too_many_fields": "The file has more fields than we read. Some were not read.",
    "clipped": "The text reaches the edge of its box, so its end may be missing.",
    "weak_mark": "A mark is too faint to be sure of.",
    "filled_box": "The box is filled in. It may be marked, or struck out.",
    "two_marks": "More than one choice is marked where one is asked for.",
    "shown_differs": "What the page shows differs from what the file holds as the answer.",
    "boxes_lost": "A program that saved the form dropped all its boxes. A person reads the answers from it.",
    "boxes_missing": "Some boxes of the form are not in the file, so answers may be missing. A person looks.",
    "written_beside": "Something was written beside the boxes of the form, where we do not read. A person reads it.",
    "tracked_changes": "The file keeps its changes. It was read as if all of them were accepted.",
    "quarantined": "The file can run a program, or we cannot look inside it. It is kept, and nobody opens it without a reason.",
}


NOTES = {
    "smime_signed": "It carries an S/MIME signature, which we do not check.",
    "text_in_rtf": "Its text is in Outlook's own format (RTF), so it was not read.",
    "left_out": "A file in it is of a kind that we do not take out, or there were too many; it was not read.",
    "a_link": "A file in it is only a link to somewhere else, and nothing is fetched.",
}


def problem(code: str, id: str = "") -> Problem:
    return Problem(id=id, code=code, message=SENTENCES[code])


def not_read_yet(what: str) -> Problem:
    return Problem("", "not_read_yet", f"The file is {what}, which is not read yet. A person reads it.")
