"""Promises: what a person has promised in all circles, counted in the commit that makes or ends a promise."""

from __future__ import annotations

from shared.domain.commitments import Commitments, commitments_ref
from shared.domain.decision import Decision
from shared.domain.groups import Group
from shared.services.transact import Loaded


def promised(loaded: Loaded, person: str, group: Group) -> Decision:
    """One promise more for the person. Raises CapReached, AlsoLoad."""
    known = loaded.find(commitments_ref(person))
    after = (known or Commitments(person=person)).with_promise(group.id, group.terms)
    return Decision(changed=[after]) if known else Decision(created=[after])


def released(loaded: Loaded, person: str, group: str) -> Decision:
    """The person's promise to a circle has ended. Raises AlsoLoad."""
    known = loaded.find(commitments_ref(person))
    if known is None:
        return Decision(created=[Commitments(person=person)])
    return Decision(changed=[known.without(group)])
