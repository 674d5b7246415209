"""The one shape of every error: problem+json (RFC 9457), with a stable `code`."""

from __future__ import annotations

from pydantic import Field

from shared.web.schemas.common import Answer


class FieldError(Answer):
    """One field that cannot be used. `field` is its dotted path, empty for the body as a whole."""

    field: str
    code: str
    message: str


class Problem(Answer):
    """Why a request was refused. Branch on `code`; show `detail` to a person."""

    type: str = Field(description="A URI that stands for `code`.")
    title: str
    status: int
    code: str
    detail: str
    instance: str = Field(description="A URI that stands for this one request.")
    request_id: str
    errors: list[FieldError] = []
