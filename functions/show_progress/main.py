"""A fact of the journal: make anew what a group's members may read of its open cycle."""

from typing import Any

import functions_framework
from cloudevents.http import CloudEvent

from shared import bootstrap
from shared.services.context import Context
from shared.web import push


@functions_framework.cloud_event
def show_progress(event: CloudEvent) -> None:
    push.handle("show_progress", event, bootstrap, _work)


def _work(ctx: Context, message: push.Message) -> dict[str, Any]:
    group = push.group_of(message)
    from shared.services import show_progress

    return show_progress.show(ctx, message.command, group)
