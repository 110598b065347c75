"""The certificate of our own door for mail."""

from __future__ import annotations

import logging
import os
import ssl

from intake.adapters.smtp_in_options import DoorOptions
from intake.domain.errors import Misconfigured

_log = logging.getLogger("intake.smtp_in")


class Certificate:
    """Read again when its file changed: certificates are renewed every few weeks, and nobody restarts us for it."""

    def __init__(self, options: DoorOptions) -> None:
        self._files = (options.tls_certificate_file, options.tls_key_file)
        try:
            self._context, self._seen = self._load()
        except (OSError, ssl.SSLError) as error:
            raise Misconfigured(f"The certificate {self._files[0]} and its key cannot be used ({error}).") from error

    def context(self) -> ssl.SSLContext:
        try:
            if self._changed():
                self._context, self._seen = self._load()
        except (OSError, ssl.SSLError) as error:
            _log.error("certificate_not_read error=%s", type(error).__name__)  # the one from before goes on
        return self._context

    def _changed(self) -> bool:
        return tuple(os.stat(file).st_mtime_ns for file in self._files) != self._seen

    def _load(self) -> tuple[ssl.SSLContext, tuple[int, ...]]:
        """A context of its own: a new certificate with the old key, half renewed, would spoil the one in use."""
        seen = tuple(os.stat(file).st_mtime_ns for file in self._files)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*self._files)
        return context, seen
