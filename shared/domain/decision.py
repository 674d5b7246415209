"""What a pure decision comes to: facts, changed and new documents, and the answer to the caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Any

from shared.domain.documents import Document
from shared.domain.journal import News
from shared.domain.record import record


@record
class Decision:
    """One atomic commit. Nothing to record means that nothing is to be done: `answer` says why.

    `changed` documents were loaded; `created` ones must not exist; `removed` ones end. Balances follow
    from the facts' entries by themselves.
    """

    answer: dict[str, Any] = field(default_factory=dict)
    facts: Sequence[News] = ()
    changed: Sequence[Document] = ()
    created: Sequence[Document] = ()
    removed: Sequence[Document] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.facts or self.changed or self.created or self.removed)

    def then(self, later: Decision) -> Decision:
        """Both decisions as one commit: what the later one changed again stands as it left it."""
        return Decision(
            answer=later.answer or self.answer,
            facts=[*self.facts, *later.facts],
            changed=list({one.path: one for one in (*self.changed, *later.changed)}.values()),
            created=[*self.created, *later.created],
            removed=[*self.removed, *later.removed],
        )
