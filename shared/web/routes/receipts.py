"""Receipts for contributions and payouts, as JSON and PDF."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from shared.domain.errors import NoSuchThing, NothingReceived
from shared.domain.permissions import Action
from shared.web.answers import Download
from shared.web.routing import Call, Route
from shared.web.schemas.receipts import Receipt, ReceiptRequest


def contribution_receipt(call: Call[ReceiptRequest]) -> Mapping[str, Any] | Download:
    from shared.services import receipts

    group, contribution = call.path["group"], call.path["contribution"]
    return _written(call, receipts.of_contribution(call.ctx, call.uid, group, contribution))


def payout_receipt(call: Call[ReceiptRequest]) -> Mapping[str, Any] | Download:
    from shared.services import receipts

    group, payout = call.path["group"], call.path["payout"]
    return _written(call, receipts.of_payout(call.ctx, call.uid, group, payout))


def _written(call: Call[ReceiptRequest], receipt: dict[str, Any]) -> Mapping[str, Any] | Download:
    if call.input.format == "json":
        return receipt
    from shared.services import display_names
    from shared.web import receipt_sheets, sheets

    name = display_names.names(call.ctx, receipt["group"], [call.uid]).get(call.uid, call.uid)
    paper = sheets.as_pdf(receipt_sheets.receipt_sheet(receipt, name))
    return Download(paper, sheets.PDF, f"receipt-{receipt['reference']}.pdf")


ROUTES: Final[tuple[Route[Any], ...]] = (
    Route(
        "GET",
        "/v1/groups/{group}/contributions/{contribution}/receipt",
        Action.READ_OWN_RECEIPT,
        "Read the receipt for one's own contribution",
        takes=ReceiptRequest,
        answer=Receipt,
        handler=contribution_receipt,
        downloads=("application/pdf",),
        refuses=(NoSuchThing, NothingReceived),
    ),
    Route(
        "GET",
        "/v1/groups/{group}/payouts/{payout}/receipt",
        Action.READ_OWN_RECEIPT,
        "Read the receipt for a payout that one was sent",
        takes=ReceiptRequest,
        answer=Receipt,
        handler=payout_receipt,
        downloads=("application/pdf",),
        refuses=(NoSuchThing, NothingReceived),
    ),
)
