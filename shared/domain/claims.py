"""Writing claims off: a creditor lets a debt go. The house's own is its loss (DESIGN.md § 5)."""

from __future__ import annotations

from collections.abc import Mapping

from shared.domain import ledger
from shared.domain.contributions import Contribution
from shared.domain.decision import Decision
from shared.domain.documents import Document
from shared.domain.errors import NoSuchDebt
from shared.domain.journal import News
from shared.domain.members import Debt, Member
from shared.domain.shortfalls import with_debts


def open_debts_to(member: Member, creditor: str) -> list[Debt]:
    """What a member owes one creditor. Raises NoSuchDebt."""
    found = [debt for debt in member.open_debts() if debt.creditor == creditor]
    if not found:
        raise NoSuchDebt()
    return found


def write_off(
    member: Member, creditor: str, contributions: Mapping[str, Contribution], approval: str
) -> Decision:
    """End all that a member owes one creditor. `contributions` are those of these debts, by id.

    Raises NoSuchDebt.
    """
    debts = open_debts_to(member, creditor)
    pence = sum(debt.left_pence for debt in debts)
    after = with_debts(member, [debt.with_(left_pence=0) for debt in debts])
    still_open = {debt.contribution for debt in after.open_debts()}
    changed: list[Document] = [after]
    for contribution in {debt.contribution: contributions[debt.contribution] for debt in debts}.values():
        if contribution.state == "short" and contribution.id not in still_open:
            changed.append(contribution.moved("covered").with_(act_at=None))
    fact = News(
        id=f"written_off:{approval}",
        group=member.group,
        type="written_off",
        payload={
            "member": member.uid,
            "creditor": creditor,
            "pence": pence,
            "debts": [debt.id for debt in debts],
            "approval": approval,
        },
        entries=ledger.post(ledger.written_off(member.uid, creditor, pence)),
    )
    return Decision(answer={"written_off_pence": pence}, facts=[fact], changed=changed)
