"""Who may go where: one table of every route. What is not in it is not there for anybody.

A test walks the map of addresses and fails when a route is missing here. Whether one may open a certain case is asked of
`triage.may_see`, once, in `staff.case_of`.
"""

from __future__ import annotations

from collections.abc import Mapping

from intake.domain.roles import READERS, REGISTRARS, ROLES, SEE_CONFLICTS, WORKERS

ANYBODY = frozenset({"anybody"})
SIGNED_IN = frozenset(ROLES)
# The front door and the forms of providers: public as a whole. Its routes read nothing of a case.
PUBLIC_BLUEPRINTS = frozenset({"provider"})

ROUTES: Mapping[str, frozenset[str]] = {
    "static": ANYBODY,
    "health.healthz": ANYBODY,
    "health.readyz": ANYBODY,
    "auth.ask": ANYBODY,
    "auth.send": ANYBODY,
    "auth.open_link": ANYBODY,
    "auth.use_link": ANYBODY,
    "auth.sign_out": SIGNED_IN,
    "demo.page": ANYBODY,  # exists in the demo only
    "demo.send": ANYBODY,
    "queue.page": READERS,
    "queue.bulk": WORKERS,
    "queue.undo": WORKERS,
    "keys.page": SIGNED_IN,
    "keys.save": SIGNED_IN,
    "case.page": READERS,
    "case.original": READERS,
    "case.document": READERS,
    "case.take": WORKERS,
    "case.assign": WORKERS,
    "case.provider": WORKERS,
    "case.status": WORKERS,
    "case.let_through": WORKERS,
    "case.write": WORKERS,
    "case.ask": WORKERS,
    "case.answer": WORKERS,
    "case.band": WORKERS,
    "case.close": WORKERS,
    "case.second": WORKERS,
    "case.link": WORKERS,
    "case.kind": WORKERS,
    "case.lock": WORKERS,
    "case.unlock": WORKERS & SEE_CONFLICTS,
    "providers.every": SIGNED_IN,
    "providers.one": SIGNED_IN,
    "onboarding.look": READERS,
    "onboarding.register": REGISTRARS,
    "onboarding.propose": WORKERS,
    "onboarding.decisions": READERS,
    "onboarding.one": READERS,
    "onboarding.decide": WORKERS,  # who proposed takes back; who may agree is asked of `onboarding`
    "system.page": SIGNED_IN,
}


def roles_for(endpoint: str) -> frozenset[str]:
    """The roles that may call an endpoint; none for one that is not in the table."""
    if endpoint.partition(".")[0] in PUBLIC_BLUEPRINTS:
        return ANYBODY
    return ROUTES.get(endpoint, frozenset())
