"""HTTP, public: payment methods, and what one owes and paid."""

import functions_framework
from flask import Request, Response

from shared import bootstrap
from shared.web.routes.payments import ROUTES
from shared.web.routing import dispatch, stray

functions_framework.errorhandler(404)(stray(bootstrap))


@functions_framework.http
def payments(request: Request) -> Response:
    return dispatch(request, ROUTES, bootstrap)
