"""A tick of the scheduler: queue one task for each contribution that is to be looked at."""

from typing import Any

import functions_framework
from cloudevents.http import CloudEvent

from shared import bootstrap
from shared.services.context import Context
from shared.web import push


@functions_framework.cloud_event
def collect_contributions(event: CloudEvent) -> None:
    push.handle("collect_contributions", event, bootstrap, _work)


def _work(ctx: Context, message: push.Message) -> dict[str, Any]:
    from shared.services import collect_contributions

    return collect_contributions.queue_due(ctx, message.command)
