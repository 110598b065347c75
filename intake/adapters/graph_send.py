"""Mail that leaves through a mailbox of Exchange Online, by Microsoft Graph, with the bytes and the Message-ID that are ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from intake.adapters.access import StateStore
from intake.adapters.graph_account import Gone, GraphService, TooOld, graph_account
from intake.adapters.outgoing import OutgoingMime
from intake.domain.errors import Refused, TryLater
from intake.ports import Clock, OutgoingMail

_TAKEN = 202
_NEVER = frozenset({400, 413, 422})  # this mail or its recipient; other refusals are about the application
_SETTINGS_ARE_WRONG = 300.0  # seconds to wait when only a person can mend it


class GraphSender:
    """`intake.ports.MailSender`. The application needs the role Application Mail.Send for the mailbox."""

    def __init__(self, name: str, options: Mapping[str, Any], sender: str, store: StateStore, clock: Clock) -> None:
        self._service = GraphService(graph_account(name, options), store)
        self._mails = OutgoingMime(sender, clock)
        self._name = name

    def send(self, mail: OutgoingMail) -> None:
        content = self._mails.compose(mail)
        try:
            status = self._service.send(f"{self._service.base}/sendMail", content)
        except (Gone, TooOld) as error:
            raise TryLater(
                f"There is no mailbox {self._name} to send from. Mails wait.", _SETTINGS_ARE_WRONG
            ) from error
        if status in _NEVER:
            raise Refused(f"The mail service refused the mail (code {status}).")
        if status != _TAKEN:
            wait = 0.0 if status >= 500 else _SETTINGS_ARE_WRONG
            raise TryLater(f"The mail service did not take the mail (code {status}). Mails wait.", wait)
