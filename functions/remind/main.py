"""A tick of the scheduler: tell people what the day asks of them."""

from typing import Any

import functions_framework
from cloudevents.http import CloudEvent

from shared import bootstrap
from shared.services.context import Context
from shared.web import push


@functions_framework.cloud_event
def remind(event: CloudEvent) -> None:
    push.handle("remind", event, bootstrap, _work)


def _work(ctx: Context, message: push.Message) -> dict[str, Any]:
    from shared.services import remind

    return remind.remind(ctx)
