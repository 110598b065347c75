"""Mail that leaves through a mailbox of Exchange Server, by Exchange Web Services, with the bytes and the Message-ID that are ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from intake.adapters.access import StateStore
from intake.adapters.exchange_account import ExchangeSignIn, exchange_account, failures
from intake.adapters.outgoing import OutgoingMime
from intake.domain.errors import Refused, TryLater
from intake.ports import Clock, OutgoingMail


class ExchangeSender:
    """`intake.ports.MailSender`; for one thread."""

    def __init__(self, name: str, options: Mapping[str, Any], sender: str, store: StateStore, clock: Clock) -> None:
        self._account = exchange_account(name, options)
        self._sign_in = ExchangeSignIn(self._account, store, "send")
        self._mails = OutgoingMime(sender, clock)
        self._opened: Any = None

    def send(self, mail: OutgoingMail) -> None:
        from exchangelib import errors

        never = (
            *(errors.ErrorInvalidRecipients, errors.ErrorMessageSizeExceeded, errors.ErrorMimeContentInvalid),
            *(errors.ErrorSendAsDenied, errors.ErrorInvalidSmtpAddress),
        )
        content = self._mails.compose(mail)
        try:
            with failures(self._account.name, *never, errors.UnauthorizedError):
                self._hand_over(content)
        except never as error:
            raise Refused(f"The mail server refused the mail ({type(error).__name__}).") from error
        except errors.UnauthorizedError:
            self._opened = None
            with failures(self._account.name):
                self._hand_over(content, fresh=True)
        except TryLater:
            self._opened = None
            raise

    def _hand_over(self, content: bytes, fresh: bool = False) -> None:
        from exchangelib import Message

        if self._opened is None:
            self._opened = self._sign_in(fresh)
        Message(account=self._opened, mime_content=content).send(save_copy=False)
