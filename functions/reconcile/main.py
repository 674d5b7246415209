"""A tick of the scheduler: compare the ledger with the processor's books; anchor the audit chains' heads."""

from typing import Any

import functions_framework
from cloudevents.http import CloudEvent

from shared import bootstrap
from shared.services.context import Context
from shared.web import push


@functions_framework.cloud_event
def reconcile(event: CloudEvent) -> None:
    push.handle("reconcile", event, bootstrap, _work)


def _work(ctx: Context, message: push.Message) -> dict[str, Any]:
    from shared.services import anchor_heads, reconcile

    return reconcile.reconcile(ctx) | anchor_heads.anchor_heads(ctx, message.command)
