"""Codes that rules and pages ask for by name, of marks on a case and of the reasons behind them. What each looks like is told in
`intake.web.present`; a code that nothing compares stands only where it is made.
"""

from __future__ import annotations

CONFLICT = "CONFLICT"  # the case names a member of staff, or the reporter: few may open it
SECOND_PERSON = "SECOND_PERSON"  # somebody asked to close it, and waits for another to agree
UNKNOWN_PROVIDER = "UNKNOWN_PROVIDER"  # nobody has said yet which provider it is about
KEY_GAP_NO_PLAN = "KEY_GAP_NO_PLAN"
QUARANTINED = "QUARANTINED"  # a file of it is not opened without a reason
CHECK_FIRST = "CHECK_FIRST"  # a person confirms what the system took for granted
READ_FIRST = "READ_FIRST"  # no form told what it is: a person reads the mail before anything else
POSSIBLE_DANGER = "POSSIBLE_DANGER"  # told in plain words, in a mail that has no band
POSSIBLE_FOLLOW_UP = "POSSIBLE_FOLLOW_UP"
POSSIBLE_NOTICE = "POSSIBLE_NOTICE"
NOT_ALL_READ = "NOT_ALL_READ"
MAIL_NOTE = "MAIL_NOTE"
UNREADABLE = "UNREADABLE"  # a document that the system could not read

# What came with the mail and not with an answer: no answer takes it away.
OF_THE_MAIL = frozenset({POSSIBLE_DANGER, POSSIBLE_FOLLOW_UP, POSSIBLE_NOTICE, NOT_ALL_READ, MAIL_NOTE, UNREADABLE})
