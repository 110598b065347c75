"""The roles of staff: every one is named here once. What each may do is told in `docs/operating.md`."""

from __future__ import annotations

ROLES = ("triage", "privacy_lead", "security_lead", "manager", "records", "auditor", "admin")
WORKERS = frozenset({"triage", "privacy_lead", "security_lead", "manager"})  # may change cases
READERS = WORKERS | {"records", "auditor"}  # may open cases
SEE_CONFLICTS = frozenset({"privacy_lead", "auditor"})  # may open a case that names a colleague
REGISTRARS = frozenset({"privacy_lead", "manager"})  # may say in the register whose a domain is
