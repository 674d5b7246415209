"""Bearer tokens: found where they stand, refused where they cannot be one."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from shared.domain.errors import BadToken, NoToken
from shared.web.tokens import bearer_token


def asked(header: str | None) -> Request:
    headers = Headers() if header is None else Headers({"Authorization": header})
    return Request(EnvironBuilder(headers=headers).get_environ())


@pytest.mark.parametrize("header", ["Bearer abc.def", "bearer abc.def", "BEARER  abc.def "])
def test_a_token(header: str) -> None:
    assert bearer_token(asked(header)) == "abc.def"


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Basic abc", "abc", "Bearer \u00e9", "Bearer " + "x" * 8193]
)
def test_no_usable_token(header: str) -> None:
    with pytest.raises(BadToken):
        bearer_token(asked(header))


def test_no_header() -> None:
    with pytest.raises(NoToken):
        bearer_token(asked(None))
