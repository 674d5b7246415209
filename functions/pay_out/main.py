"""A tick of the scheduler: reserve the pots that are to be paid, and queue their sending."""

from typing import Any

import functions_framework
from cloudevents.http import CloudEvent

from shared import bootstrap
from shared.services.context import Context
from shared.web import push


@functions_framework.cloud_event
def pay_out(event: CloudEvent) -> None:
    push.handle("pay_out", event, bootstrap, _work)


def _work(ctx: Context, message: push.Message) -> dict[str, Any]:
    from shared.services import pay_out

    return pay_out.pay_due(ctx, message.command)
