"""HTTP, public: people, and their accounts for payouts."""

import functions_framework
from flask import Request, Response

from shared import bootstrap
from shared.web.routes.users import ROUTES
from shared.web.routing import dispatch, stray

functions_framework.errorhandler(404)(stray(bootstrap))


@functions_framework.http
def users(request: Request) -> Response:
    return dispatch(request, ROUTES, bootstrap)
