"""A tick of the scheduler: publish what was left unpublished: facts of ours, events of Stripe's."""

from typing import Any

import functions_framework
from cloudevents.http import CloudEvent

from shared import bootstrap
from shared.services.context import Context
from shared.web import push


@functions_framework.cloud_event
def relay(event: CloudEvent) -> None:
    push.handle("relay", event, bootstrap, _work)


def _work(ctx: Context, message: push.Message) -> dict[str, Any]:
    if message.data.get("job") == "catch-up":
        from shared.services import catch_up

        return catch_up.catch_up(ctx, message.command)
    from shared.services import relay, seal_facts

    return relay.relay(ctx, message.command) | seal_facts.seal_facts(ctx, message.command)
