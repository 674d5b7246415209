"""A tick of the scheduler: publish what its own request did not get to publish, and seal what is new."""

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
    from shared.services import relay, seal_facts

    return relay.relay(ctx, message.command) | seal_facts.seal_facts(ctx, message.command)
