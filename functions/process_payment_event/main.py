"""An event of the processor: fetch what it is about anew, and carry it into the ledger once."""

from typing import Any

import functions_framework
from cloudevents.http import CloudEvent

from shared import bootstrap
from shared.services.context import Context
from shared.web import push


@functions_framework.cloud_event
def process_payment_event(event: CloudEvent) -> None:
    push.handle("process_payment_event", event, bootstrap, _work)


def _work(ctx: Context, message: push.Message) -> dict[str, Any]:
    from shared.services import process_payment_event

    event = process_payment_event.as_event(message.data)
    return process_payment_event.process(ctx, event)
