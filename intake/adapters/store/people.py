"""Staff, their one-time links and sessions, and drafts of people who fill in a form. Only hashes of tokens are kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, insert, or_, select, update

from intake.adapters.store import tables as t
from intake.adapters.store.base import Base
from intake.ports import Session, Staff

_st, _se, _li, _dr = t.staff.c, t.sessions.c, t.one_time_links.c, t.drafts.c
_NOTICE_VISIT = timedelta(seconds=60)  # a session's last visit is noted no finer: reading a page need not write
_MEMBER = select(t.staff).where(_st.address == bindparam("address"))
_RETIRE = update(t.staff).where(_st.address == bindparam("who"), _st.active).values(active=False)
_USE_LINK = (
    update(t.one_time_links)
    .where(
        _li.token_hash == bindparam("token"),
        _li.binding_hash == bindparam("browser"),
        _li.used_at.is_(None),
        _li.expires_at > bindparam("now"),
    )
    .values(used_at=bindparam("now"))
    .returning(_li.address)
)
_SESSION = (
    select(t.sessions, _st.role, _st.name, _st.active)
    .join(t.staff, _se.address == _st.address)
    .where(_se.token_hash == bindparam("token"), _se.expires_at > bindparam("now"), _st.active)
)
_SEEN = update(t.sessions).where(_se.token_hash == bindparam("token")).values(seen_at=bindparam("now"))
_DRAFT = select(_dr.form, _dr.answers_cipher).where(
    _dr.code_hash == bindparam("code"), _dr.expires_at > bindparam("now")
)


class StaffRows(Base):
    def staff_member(self, address: str) -> Staff | None:
        with self._read() as connection:
            row = connection.execute(_MEMBER, {"address": _key(address)}).mappings().one_or_none()
        return None if row is None else _staff(row)

    def add_staff(self, address: str, role: str, name: str = "") -> Staff:
        key = _key(address)
        with self._write() as connection:
            known = connection.execute(_MEMBER.with_for_update(), {"address": key}).mappings().one_or_none()
            member = Staff(key, role, name or (known["name"] if known else ""))
            row = {"address": key, "role": member.role, "name": member.name, "active": True}
            connection.execute(update(t.staff).where(_st.address == key) if known else insert(t.staff), row)
        return member

    def retire_staff(self, address: str) -> bool:
        who = _key(address)
        with self._write() as connection:
            connection.execute(delete(t.sessions).where(_se.address == who))
            connection.execute(delete(t.one_time_links).where(_li.address == who))
            return connection.execute(_RETIRE, {"who": who}).rowcount == 1

    def all_staff(self) -> tuple[Staff, ...]:
        with self._read() as connection:
            return tuple(_staff(row) for row in connection.execute(select(t.staff).order_by(_st.address)).mappings())

    def add_link(self, token_hash: str, address: str, binding_hash: str, expires: datetime) -> None:
        now = self._clock()
        row = {
            "token_hash": token_hash,
            "address": _key(address),
            "binding_hash": binding_hash,
            "expires_at": expires,
        }
        with self._write() as connection:
            connection.execute(delete(t.one_time_links).where(_li.expires_at < now))
            connection.execute(insert(t.one_time_links), row)

    def use_link(self, token_hash: str, binding_hash: str, now: datetime) -> str | None:
        values = {"token": token_hash, "browser": binding_hash, "now": now}
        with self._write() as connection:
            address: str | None = connection.execute(_USE_LINK, values).scalar_one_or_none()
        return address

    def add_session(self, token_hash: str, address: str, expires: datetime) -> None:
        now = self._clock()
        row = {
            "token_hash": token_hash,
            "address": _key(address),
            "started_at": now,
            "seen_at": now,
            "expires_at": expires,
        }
        with self._write() as connection:
            connection.execute(delete(t.sessions).where(_se.expires_at < now))
            connection.execute(insert(t.sessions), row)

    def session(self, token_hash: str, now: datetime, idle_seconds: int) -> Session | None:
        with self._read() as connection:
            row = connection.execute(_SESSION, {"token": token_hash, "now": now}).mappings().one_or_none()
        if row is None or now - row["seen_at"] > timedelta(seconds=idle_seconds):
            return None
        if now - row["seen_at"] >= _NOTICE_VISIT:
            with self._write() as connection:
                connection.execute(_SEEN, {"token": token_hash, "now": now})
        return Session(_staff(row), row["started_at"], row["expires_at"])

    def end_session(self, token_hash: str) -> None:
        with self._write() as connection:
            connection.execute(delete(t.sessions).where(_se.token_hash == token_hash))


class DraftRows(Base):
    def save_draft(self, code_hash: str, form: str, cipher: bytes, expires: datetime) -> None:
        row = {
            "code_hash": code_hash,
            "form": form,
            "answers_cipher": cipher,
            "saved_at": self._clock(),
            "expires_at": expires,
        }
        with self._write() as connection:
            connection.execute(self._upserts.draft, row)

    def draft(self, code_hash: str, now: datetime) -> tuple[str, bytes] | None:
        with self._read() as connection:
            row = connection.execute(_DRAFT, {"code": code_hash, "now": now}).one_or_none()
        return None if row is None else (row.form, bytes(row.answers_cipher))

    def drop_draft(self, code_hash: str) -> None:
        """Drop this one, and every one whose time is over."""
        with self._write() as connection:
            connection.execute(delete(t.drafts).where(or_(_dr.code_hash == code_hash, _dr.expires_at < self._clock())))


def _key(address: str) -> str:
    return address.strip().lower()


def _staff(row: Mapping[Any, Any]) -> Staff:
    return Staff(row["address"], row["role"], row["name"], bool(row["active"]))
