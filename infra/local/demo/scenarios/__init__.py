"""The demo's scenarios: one module each, which starts a circle and lives up to where its story is decided.

`scripts/demo --scenario NAME` lives on to the last pot, and reports.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from infra.local.demo.circle import Circle
from infra.local.demo.client import Platform
from infra.local.demo.scenarios import (
    bank_payout_fails,
    dispute_after_payout,
    failed_debit,
    hardship,
    import_running_circle,
    late_payer,
    leaves_after_turn,
    leaves_before_turn,
    needs_authentication,
    new_mandate_bacs,
    restricted_recipient,
    shortfall_and_top_up,
    substitute,
    swap,
    webhooks_down,
    wind_up,
)
from infra.local.demo.story import Story

SCENARIOS: Final[dict[str, Callable[[Platform, Story], Circle]]] = {
    "late-payer": late_payer.tell,
    "failed-debit": failed_debit.tell,
    "needs-authentication": needs_authentication.tell,
    "new-mandate-bacs": new_mandate_bacs.tell,
    "webhooks-down-three-days": webhooks_down.tell,
    "restricted-recipient": restricted_recipient.tell,
    "bank-payout-fails": bank_payout_fails.tell,
    "dispute-after-payout": dispute_after_payout.tell,
    "leaves-after-turn": leaves_after_turn.tell,
    "leaves-before-turn": leaves_before_turn.tell,
    "substitute": substitute.tell,
    "shortfall-and-top-up": shortfall_and_top_up.tell,
    "swap": swap.tell,
    "hardship": hardship.tell,
    "wind-up": wind_up.tell,
    "import-running-circle": import_running_circle.tell,
}
