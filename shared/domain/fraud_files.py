"""Fraud files: what the checks found of a person, and what staff made of it. A lifted finding holds no more.

The checks look afresh each time and remember nothing; what a person of staff has looked at is remembered
here. A finding that goes further than the one that was lifted (another person on the account, another group)
is a new one, and waits again. Ids and codes only; the reason of whoever decided is sealed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

from shared.domain.documents import Document, Ref, States, Value
from shared.domain.errors import FindingDecided, NoSuchThing, ReviewerNotIndependent, ReviewReasonMissing
from shared.domain.fraud import Finding, FraudCheck, Severity, weigh

FindingState = Literal["open", "lifted", "confirmed"]
FindingVerdict = Literal["lifted", "confirmed"]

FINDING: Final = States("finding", {"open": "lifted confirmed", "lifted": "confirmed", "confirmed": "lifted"})
"""Neither is for ever: what was lifted can turn out to be true, and the other way round."""

REASON_LETTERS_MIN: Final = 20
"""'fine' is no reason to let money go, nor to keep somebody's pot."""


class FiledFinding(Value):
    """A finding that asks for a person, and their answer. `reason` is sealed with its subject's key."""

    number: int
    finding: Finding
    found_at: datetime
    state: FindingState = "open"
    decided_by: str | None = None
    decided_at: datetime | None = None
    reason: str | None = None

    def covers(self, finding: Finding) -> bool:
        """Whether this is the same finding, or one that went further."""
        own = self.finding
        return (
            own.code is finding.code
            and set(finding.others) <= set(own.others)
            and set(finding.about) <= set(own.about)
        )


class FraudFile(Document):
    """fraud/{uid}. `waits`: a finding is open; `waits_since`: since when the oldest of them is."""

    uid: str
    filed: list[FiledFinding] = []
    waits: bool = False
    waits_since: datetime | None = None

    @property
    def path(self) -> str:
        return fraud_ref(self.uid).path

    def with_found(self, check: FraudCheck) -> FraudFile:
        """With what is new in a check, if it asks for a person: it holds something, or is more than low."""
        filed = list(self.filed)
        for finding in check.findings:
            asks = finding.holds or finding.severity is not Severity.LOW
            if asks and not any(one.covers(finding) for one in filed):
                filed.append(FiledFinding(number=len(filed) + 1, finding=finding, found_at=check.at))
        return self if filed == self.filed else self._with(filed)

    def decided(self, number: int, verdict: FindingVerdict, by: str, at: datetime, reason: str) -> FraudFile:
        """With one finding answered. `reason` is what is kept of it, sealed.

        Raises NoSuchThing, FindingDecided (so already), ReviewerNotIndependent (about themselves).
        """
        filed = next((one for one in self.filed if one.number == number), None)
        if filed is None:
            raise NoSuchThing(thing="finding")
        if by == self.uid:
            raise ReviewerNotIndependent()
        if filed.state == verdict:
            raise FindingDecided(state=verdict)
        FINDING.check(filed.state, verdict)
        answered = filed.with_(state=verdict, decided_by=by, decided_at=at, reason=reason)
        return self._with([answered if one.number == number else one for one in self.filed])

    def in_force(self, check: FraudCheck) -> FraudCheck:
        """The check without what staff have lifted."""
        lifted = [one for one in self.filed if one.state == "lifted"]
        left = [one for one in check.findings if not any(known.covers(one) for known in lifted)]
        return weigh(check.person, check.at, left)

    def _with(self, filed: Sequence[FiledFinding]) -> FraudFile:
        waits = [one.found_at for one in filed if one.state == "open"]
        return self.with_(filed=list(filed), waits=bool(waits), waits_since=min(waits, default=None))


def finding_sealed_as(uid: str, number: int) -> str:
    return f"fraud:{uid}:{number}"


def fraud_ref(uid: str) -> Ref[FraudFile]:
    return Ref(FraudFile, f"fraud/{uid}")


def require_reason(reason: str) -> str:
    """Raises ReviewReasonMissing."""
    said = reason.strip()
    if len(said) < REASON_LETTERS_MIN:
        raise ReviewReasonMissing(field="reason", letters=REASON_LETTERS_MIN)
    return said
