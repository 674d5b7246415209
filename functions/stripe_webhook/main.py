"""HTTP, called by Stripe: verify an event, publish that it happened, answer. Never touches the store."""

import functions_framework
from flask import Request, Response

from shared import bootstrap
from shared.web.callbacks import receive_webhook


@functions_framework.http
def stripe_webhook(request: Request) -> Response:
    return receive_webhook(request, bootstrap)
