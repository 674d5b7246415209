"""HTTP, public: what people can afford, their assessments and reviews, and the portfolio."""

import functions_framework
from flask import Request, Response

from shared import bootstrap
from shared.domain.scoring.artefact import check_shipped
from shared.web.routes.assessments import ROUTES
from shared.web.routing import dispatch, stray

check_shipped()
# A model whose hash or schema is wrong stops the start: the revision before goes on serving.

functions_framework.errorhandler(404)(stray(bootstrap))


@functions_framework.http
def assessments(request: Request) -> Response:
    return dispatch(request, ROUTES, bootstrap)
