"""The ledger: two books in integer pence, the rows of DESIGN.md § 5, and their fold.

The members' book says where the members' money is; the claims book says who owes whom what was promised
and not paid, and what the house has put in. Each fact's entries balance in each book by itself. A row
below is one line of the design's table; a fact is a sum of rows, made by `post`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Annotated, Final, Literal

from pydantic import Field

from shared.domain.documents import Document, Ref, Value
from shared.domain.errors import BadEntry, Unbalanced

Book = Literal["members", "claims"]
Side = Literal["debit", "credit"]

RESERVE: Final = "reserve"
HOUSE: Final = "house"
FEES_PAID: Final = "fees:processor"
FEES_EARNED: Final = "fees:platform"
LOSS: Final = "loss"

# Which book an account's first word belongs to, and the side on which it grows.
_ACCOUNTS: Final[Mapping[str, tuple[Book, Side]]] = {
    "cash": ("members", "debit"),
    "pot": ("members", "credit"),
    "payable": ("members", "credit"),
    "credit": ("members", "credit"),
    "reserve": ("members", "credit"),
    "debt": ("claims", "debit"),
    "fees:processor": ("claims", "debit"),
    "loss": ("claims", "debit"),
    "owed": ("claims", "credit"),
    "house": ("claims", "credit"),
    "fees:platform": ("claims", "credit"),
}


class Entry(Value):
    """One side of a posting: a positive number of pence on one account."""

    account: str
    side: Side
    pence: Annotated[int, Field(gt=0, strict=True)]


Rows = list[tuple[str, str, int]]
"""(account debited, account credited, pence): what the design's table writes as 'Dr / Cr — x'."""


def account_of(account: str) -> tuple[Book, Side]:
    """The book of an account and the side on which it grows. Raises BadEntry for an unknown one."""
    known = _ACCOUNTS.get(account) or _ACCOUNTS.get(account.partition(":")[0])
    if known is None:
        raise BadEntry(account=account, pence=0)
    return known


def post(*rows: Rows) -> list[Entry]:
    """The entries of one fact: the rows added up, each account once, zero rows left out.

    Raises Unbalanced or BadEntry: entries that could break an invariant are never made.
    """
    net: dict[str, int] = defaultdict(int)
    for debit, credit, pence in (row for part in rows for row in part):
        if pence < 0:
            raise BadEntry(account=debit, pence=pence)
        net[debit] += pence
        net[credit] -= pence
    entries = [
        Entry(account=account, side="debit" if pence > 0 else "credit", pence=abs(pence))
        for account, pence in net.items()
        if pence
    ]
    check(entries)
    return entries


def check(entries: Iterable[Entry]) -> None:
    """Invariant 1: in each book debits = credits, an account once. Raises Unbalanced or BadEntry."""
    sums: dict[Book, dict[Side, int]] = {
        "members": {"debit": 0, "credit": 0},
        "claims": {"debit": 0, "credit": 0},
    }
    seen = set()
    for entry in entries:
        if entry.account in seen:
            raise BadEntry(account=entry.account, pence=entry.pence)
        seen.add(entry.account)
        sums[account_of(entry.account)[0]][entry.side] += entry.pence
    for book, sides in sums.items():
        if sides["debit"] != sides["credit"]:
            raise Unbalanced(book=book, debits=sides["debit"], credits=sides["credit"])


def reverse(entries: Iterable[Entry]) -> list[Entry]:
    """The exact opposite of a fact's entries."""
    return [entry.with_(side="credit" if entry.side == "debit" else "debit") for entry in entries]


# --- account names ------------------------------------------------------------------------------------------


def cash(processor: str) -> str:
    return f"cash:{processor}"


def pot(cycle: int) -> str:
    return f"pot:{cycle}"


def payable(payout: str) -> str:
    return f"payable:{payout}"


def credit(uid: str) -> str:
    return f"credit:{uid}"


def debt(uid: str) -> str:
    return f"debt:{uid}"


def owed(creditor: str) -> str:
    """What `creditor` (a member, or the reserve) is owed in this circle."""
    return f"owed:{creditor}"


# --- rows: money in -----------------------------------------------------------------------------------------


def money_in(processor: str, cycle: int, pence: int) -> Rows:
    """Money in (settled, or a dispute won) while the cycle is not reserved."""
    return [(cash(processor), pot(cycle), pence)]


def processor_fee(pence: int) -> Rows:
    """A processor's fee, which the house bears."""
    return [(FEES_PAID, HOUSE, pence)]


def processor_fee_returned(pence: int) -> Rows:
    """A processor's fee that came back (a dispute won)."""
    return [(HOUSE, FEES_PAID, pence)]


def fee_on_top(pence: int) -> Rows:
    """The agreed fixed fee on top of a contribution: it stays at the processor as the house's own, no cash of
    the members, and pays the house back what the processor took."""
    return [(HOUSE, FEES_EARNED, pence)]


def fee_on_top_returned(pence: int) -> Rows:
    """It went back to its payer with the contribution."""
    return [(FEES_EARNED, HOUSE, pence)]


def late_money_to_member(processor: str, debtor: str, creditor: str, payout: str, pence: int) -> Rows:
    """Money in after the reservation, to a member's claim: on its way to them as a top-up."""
    return [(cash(processor), payable(payout), pence), (owed(creditor), debt(debtor), pence)]


def late_money_to_reserve(processor: str, debtor: str, pence: int) -> Rows:
    return [(cash(processor), RESERVE, pence), (owed(RESERVE), debt(debtor), pence)]


def late_money_to_house(debtor: str, pence: int) -> Rows:
    """It stays at the processor as the house's own: no cash of the members."""
    return [(HOUSE, debt(debtor), pence)]


def money_without_debt(processor: str, uid: str, pence: int) -> Rows:
    """Paid too much, or won back after it was repaid: the member's credit."""
    return [(cash(processor), credit(uid), pence)]


# --- rows: the pot goes out ---------------------------------------------------------------------------------


def payout_reserved(cycle: int, payout: str, pence: int) -> Rows:
    return [(pot(cycle), payable(payout), pence)]


def reserve_withheld(cycle: int, pence: int) -> Rows:
    return [(pot(cycle), RESERVE, pence)]


def platform_fee(processor: str, cycle: int, pence: int) -> Rows:
    """The platform's fee, agreed at lock: leaves the members' cash, pays the house back."""
    return [(pot(cycle), cash(processor), pence), (HOUSE, FEES_EARNED, pence)]


def shortfall(debtor: str, recipient: str, pence: int) -> Rows:
    return [(debt(debtor), owed(recipient), pence)]


def shortfall_filled(debtor: str, payout: str, pence: int) -> Rows:
    """The reserve stands in: it pays the recipient and is owed instead."""
    return [(RESERVE, payable(payout), pence), (debt(debtor), owed(RESERVE), pence)]


def arrears_netted_to_member(cycle: int, debtor: str, creditor: str, payout: str, pence: int) -> Rows:
    return [(pot(cycle), payable(payout), pence), (owed(creditor), debt(debtor), pence)]


def arrears_netted_to_reserve(cycle: int, debtor: str, pence: int) -> Rows:
    return [(pot(cycle), RESERVE, pence), (owed(RESERVE), debt(debtor), pence)]


def arrears_netted_to_house(processor: str, cycle: int, debtor: str, pence: int) -> Rows:
    return [(pot(cycle), cash(processor), pence), (HOUSE, debt(debtor), pence)]


def sent(processor: str, payout: str, pence: int) -> Rows:
    return [(payable(payout), cash(processor), pence)]


def transfer_reversed(processor: str, payout: str, pence: int) -> Rows:
    return [(cash(processor), payable(payout), pence)]


# --- rows: credit, and money that goes back -----------------------------------------------------------------


def credit_used(uid: str, cycle: int, pence: int) -> Rows:
    return [(credit(uid), pot(cycle), pence)]


def taken_back(processor: str, cycle: int, pence: int) -> Rows:
    """A refund or dispute while the cycle is not reserved: the contribution is due again."""
    return [(pot(cycle), cash(processor), pence)]


def disputed_after(processor: str, uid: str, from_credit_pence: int, from_house_pence: int) -> Rows:
    """A dispute after the pot was paid: the payer's credit goes first, then the house stands in.

    The recipient keeps the pot; the payer owes the house.
    """
    return [
        (credit(uid), cash(processor), from_credit_pence),
        (debt(uid), HOUSE, from_house_pence),
    ]


# --- rows: claims that change hands or end ------------------------------------------------------------------


def house_takes_over(processor: str, creditor: str, payout: str, pence: int) -> Rows:
    """The house pays a member's claim, and is owed instead."""
    return [(cash(processor), payable(payout), pence), (owed(creditor), HOUSE, pence)]


def leaver_claim(holder: str, leaver: str, pence: int) -> Rows:
    """A member who had the leaver's money owes it back, on the leaver's old date."""
    return [(debt(holder), owed(leaver), pence)]


def written_off(debtor: str, creditor: str, pence: int) -> Rows:
    """By two people: the house's claim becomes its loss; a member's or the reserve's simply ends."""
    return [(LOSS if creditor == HOUSE else owed(creditor), debt(debtor), pence)]


def reserve_returned(payout: str, pence: int) -> Rows:
    return [(RESERVE, payable(payout), pence)]


def pot_released(cycle: int, uid: str, pence: int) -> Rows:
    """A pot that falls away before it was reserved: what stood in it is its payer's credit."""
    return [(pot(cycle), credit(uid), pence)]


def debt_taken_over(heir: str, debtor: str, pence: int) -> Rows:
    """Somebody else owes it now, to the same creditor."""
    return [(debt(heir), debt(debtor), pence)]


def credit_returned(uid: str, payout: str, pence: int) -> Rows:
    """Credit refunded, in two steps: on its way as a return, then `sent` (decision 41)."""
    return [(credit(uid), payable(payout), pence)]


def held_to_member(account: str, debtor: str, creditor: str, payout: str, pence: int) -> Rows:
    """Money that already stands for the debtor, as credit or as a share of the reserve, pays a debt."""
    return [(account, payable(payout), pence), (owed(creditor), debt(debtor), pence)]


def held_to_reserve(account: str, debtor: str, pence: int) -> Rows:
    """A share of the reserve stays where it is: from the reserve to the reserve is no entry."""
    return [(account, RESERVE, pence), (owed(RESERVE), debt(debtor), pence)]


def held_to_house(account: str, processor: str, debtor: str, pence: int) -> Rows:
    return [(account, cash(processor), pence), (HOUSE, debt(debtor), pence)]


# --- balances -----------------------------------------------------------------------------------------------


class Balances(Document):
    """All balances of one group: debits and credits by account, as they were incremented."""

    debits: dict[str, int] = {}
    credits: dict[str, int] = {}

    def of(self, account: str) -> int:
        """What stands on an account, on the side on which it grows, in pence."""
        debits, credits = self.debits.get(account, 0), self.credits.get(account, 0)
        return debits - credits if account_of(account)[1] == "debit" else credits - debits

    def accounts(self) -> list[str]:
        return sorted({*self.debits, *self.credits})

    def total(self, word: str) -> int:
        """The sum over all accounts whose first word is `word`: all pots, all debts."""
        return sum(self.of(account) for account in self.accounts() if account.partition(":")[0] == word)

    def after(self, entries: Iterable[Entry]) -> Balances:
        """The balances with a fact's entries added."""
        sides = {"debit": dict(self.debits), "credit": dict(self.credits)}
        for entry in entries:
            amounts = sides[entry.side]
            amounts[entry.account] = amounts.get(entry.account, 0) + entry.pence
        return self.with_(debits=sides["debit"], credits=sides["credit"])


def balances_ref(group: str) -> Ref[Balances]:
    return Ref(Balances, f"groups/{group}/ledger/balances")


def increments(entries: Iterable[Entry]) -> dict[tuple[str, ...], int]:
    """The entries as increments of the balances document."""
    sides = {"debit": "debits", "credit": "credits"}
    return {(sides[entry.side], entry.account): entry.pence for entry in entries}


def overdrawn(balances: Balances) -> list[str]:
    """Invariant 2: accounts that stand below zero on their own side. The house alone may."""
    return [account for account in balances.accounts() if account != HOUSE and balances.of(account) < 0]


def discrepancies(balances: Balances) -> list[str]:
    """Invariant 3 of one group, as far as balances alone can tell: a sentence for each breach."""
    cash_pence = balances.total("cash")
    held = {word: balances.total(word) for word in ("pot", "payable", "credit", "reserve")}
    found = []
    if cash_pence != sum(held.values()):
        found.append(f"cash {cash_pence} is not pot + payable + credit + reserve {held}")
    house = balances.of(HOUSE)
    debts_to_house = balances.total("debt") - balances.total("owed")
    explained = debts_to_house + balances.of(FEES_PAID) + balances.of(LOSS) - balances.of(FEES_EARNED)
    if house != explained:
        found.append(f"house {house} is not debts to it + fees paid + losses - fees earned {explained}")
    return found
