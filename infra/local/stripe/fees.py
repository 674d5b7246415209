"""Stripe's published UK prices and settlement times: one table, each line with its source.

All amounts are integer pence; rates are in basis points. Percentages round half up to the penny.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Price:
    """What Stripe takes of an amount: a share and a fixed part, within bounds."""

    description: str
    source: str
    share_basis_points: int = 0
    fixed_pence: int = 0
    least_pence: int = 0
    most_pence: int | None = None

    def of(self, amount_pence: int) -> int:
        """The fee on an amount, in pence."""
        share_pence = (amount_pence * self.share_basis_points + 5_000) // 10_000
        fee_pence = max(share_pence + self.fixed_pence, self.least_pence)
        return fee_pence if self.most_pence is None else min(fee_pence, self.most_pence)


CARD = Price(
    "Stripe processing fees",
    "standard UK cards 1.5% + 20p: support.stripe.com, pricing updates for businesses in the United Kingdom",
    share_basis_points=150,
    fixed_pence=20,
)
BACS = Price(
    "Stripe processing fees",
    "1%, at least 20p, at most £4.00: stripe.com/gb/pricing/local-payment-methods, read 2026-09 (the cap "
    "was £2.00 until Stripe raised it)",
    share_basis_points=100,
    least_pence=20,
    most_pence=400,
)
DISPUTE = Price(
    "Dispute fee",
    "£20 since 10 April 2023: support.stripe.com, pricing updates for businesses in the United Kingdom; "
    "kept when the dispute is won: support.stripe.com/topics/disputes",
    fixed_pence=2_000,
)
TRANSFER = Price("Transfer", "free: stripe.com/gb/connect/pricing")
CONNECT_PAYOUT = Price(
    "Connect payout volume",
    "0.25% + 10p a payout, billed to the platform monthly, not taken from the payout: "
    "stripe.com/gb/connect/pricing",
    share_basis_points=25,
    fixed_pence=10,
)
CONNECT_ACCOUNT = Price(
    "Connect active account",
    "£2 a month for each account paid out to, billed to the platform monthly: stripe.com/gb/connect/pricing",
    fixed_pence=200,
)

CARD_AVAILABLE_WORKING_DAYS = 3
"""UK settlement: docs.stripe.com/payouts#payout-speed (T+3 business days)."""

BACS_OUTCOME_WORKING_DAYS = 4
BACS_OUTCOME_WORKING_DAYS_NEW_MANDATE = 7
"""docs.stripe.com/payments/payment-methods/bacs-debit: success or failure is confirmed after 4 business days
where a mandate is in place, after 7 with a new one. 'Payout timing 4 business days' on the same page is read
as: the money is available on the day of its confirmation."""

MANDATE_WORKING_DAYS = 3
"""A new Bacs mandate is accepted (or refused) by the bank: the 7 days above less the 4 of the debit."""

BACS_REFUND_WORKING_DAYS = 3
PAYOUT_WORKING_DAYS = 1
"""A sterling payout arrives on the next working day."""

BANK_HOUR = 6
"""UTC hour at which banks' news of the day comes in."""

LEAST_PENCE = 30
MOST_PENCE = 99_999_999
BACS_MOST_PENCE = 10_000_000
"""docs.stripe.com/currencies#minimum-and-maximum-charge-amounts; Bacs: £100,000 a debit."""
