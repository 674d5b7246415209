"""HTTP, public: circles, from the first idea to the statement."""

import functions_framework
from flask import Request, Response

from shared import bootstrap
from shared.web.routes import groups as forming
from shared.web.routes import receipts, running
from shared.web.routing import dispatch, stray

functions_framework.errorhandler(404)(stray(bootstrap))


@functions_framework.http
def groups(request: Request) -> Response:
    return dispatch(request, (*forming.ROUTES, *running.ROUTES, *receipts.ROUTES), bootstrap)
