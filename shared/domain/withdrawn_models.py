"""Withdrawn models: versions that staff have taken out of service. Their scores decide nothing any more."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from shared.domain.assessments import NoScore, Score
from shared.domain.documents import Document, Ref, Value
from shared.domain.errors import NoSuchThing

_VERSION: Final = re.compile(r"[a-z0-9_]+-[0-9.]+\+[0-9a-f]{8}")


class Withdrawal(Value):
    """One version out of service: since when, by whom, and why. No names of people belong into the reason."""

    version: str
    at: datetime
    by: str
    reason: str


class WithdrawnModels(Document):
    """system/withdrawn_models."""

    withdrawals: list[Withdrawal] = []

    @property
    def path(self) -> str:
        return WITHDRAWN.path

    @property
    def versions(self) -> frozenset[str]:
        return frozenset(one.version for one in self.withdrawals)

    def with_withdrawn(self, withdrawal: Withdrawal) -> WithdrawnModels:
        """The same again changes nothing. Raises NoSuchThing for what is no version of a model."""
        if not _VERSION.fullmatch(withdrawal.version):
            raise NoSuchThing(thing=f"model version {withdrawal.version[:60]!r}")
        if withdrawal.version in self.versions:
            return self
        return self.with_(withdrawals=[*self.withdrawals, withdrawal])

    def with_restored(self, version: str) -> WithdrawnModels:
        """Back in service. Raises NoSuchThing if it is not out of it."""
        if version not in self.versions:
            raise NoSuchThing(thing="withdrawn model")
        return self.with_(withdrawals=[one for one in self.withdrawals if one.version != version])


WITHDRAWN: Final = Ref(WithdrawnModels, "system/withdrawn_models")


def in_service(score: Score | NoScore, withdrawn: Iterable[str]) -> Score | NoScore:
    """The score, unless its model is out of service: then none, which is neutral, and a person looks."""
    if score.model_version in set(withdrawn):
        return NoScore(cause="the model that scored it was withdrawn", model_version=score.model_version)
    return score
