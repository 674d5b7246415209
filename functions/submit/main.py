"""HTTP, called by Cloud Tasks: one try at collecting a contribution or sending a payout."""

from typing import Any

import functions_framework
from flask import Request, Response

from shared import bootstrap
from shared.services.context import Command, Context
from shared.web.callbacks import receive_task


@functions_framework.http
def submit(request: Request) -> Response:
    return receive_task(request, bootstrap, _work)


def _work(ctx: Context, command: Command, task: dict[str, Any]) -> dict[str, Any]:
    from shared.services import submit as use_case

    return use_case.submit(ctx, command, task)
