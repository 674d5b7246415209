"""What no route lets in: each kind of bad input is a 4xx problem, and nothing is read or written."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from shared.domain.permissions import STAFF_ROLES, TABLE, may_begin, personal_roles
from shared.web.openapi import AREAS
from shared.web.routing import Route
from shared.web.schemas.problem import Problem
from tests.entrypoints.platform import Platform, Reply


def every(*methods: str) -> pytest.MarkDecorator:
    """Each route that takes one of these methods, with the function that serves it."""
    found = [
        pytest.param(function, route, id=route.name)
        for function, routes in AREAS.items()
        for route in routes
        if route.method in methods
    ]
    return pytest.mark.parametrize(("function", "route"), found)


every_route, every_post, every_get = every("GET", "POST"), every("POST"), every("GET")


def ask(platform: Platform, function: str, route: Route[Any], **given: Any) -> Reply:
    """The route asked by Ada, with all that is needed but what is given otherwise."""
    path = route.path
    for name in route.parameters:
        path = path.replace(f"{{{name}}}", "some_id")
    headers = {"Authorization": "Bearer ada", "Idempotency-Key": "key-00000001"} | given.pop("headers", {})
    # Who may not even begin is told that, and nothing else: staff's own routes are asked by staff.
    staff = TABLE[route.action] & STAFF_ROLES if not may_begin(route.action, personal_roles([])) else ()
    platform.people.add("ada", sorted(staff))
    kept = {name: value for name, value in headers.items() if value is not None}
    method = given.pop("method", route.method)
    return platform.client(function).open(path, method=method, headers=kept, **given)


def refused(platform: Platform, answer: Reply, status: int, code: str) -> Problem:
    """The problem of a refusal that touched nothing."""
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json"), answer.text
    problem = Problem.model_validate_json(answer.data)
    assert problem.code == code
    assert problem.status == status
    assert problem.request_id == answer.headers["Request-Id"]
    assert (platform.store.loads, platform.store.commits, platform.topics.published) == (0, 0, [])
    return problem


@every_route
def test_no_token(platform: Platform, function: str, route: Route[Any]) -> None:
    answer = ask(platform, function, route, headers={"Authorization": None})
    refused(platform, answer, 401, "no_token")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@every_route
@pytest.mark.parametrize(
    "header", ["Bearer forged", "Bearer", "Bearer ", "Basic YWRhOmFkYQ==", "ada", "Bearer " + "x" * 9000]
)
def test_a_bad_token(platform: Platform, function: str, route: Route[Any], header: str) -> None:
    refused(platform, ask(platform, function, route, headers={"Authorization": header}), 401, "bad_token")


@every_route
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "BREW"])
def test_a_method_that_nothing_takes(
    platform: Platform, function: str, route: Route[Any], method: str
) -> None:
    answer = ask(platform, function, route, method=method)
    refused(platform, answer, 405, "method_not_allowed")
    assert route.method in answer.headers["Allow"]


@every_post
@pytest.mark.parametrize("key", [None, "", "short", "x" * 129, "with space", "naïve-key-0001"])
def test_no_usable_idempotency_key(
    platform: Platform, function: str, route: Route[Any], key: str | None
) -> None:
    answer = ask(platform, function, route, json={}, headers={"Idempotency-Key": key})
    refused(platform, answer, 400, "idempotency_key_missing")


@every_post
@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{'name': 1}",
        b'{"a": 1, "a": 2}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": "\xff"}',
        b'\xef\xbb\xbf{"a": 1}',
        b'{"a": "\\ud800"}',
        b"[" * 100_000,
        b'{"a":' * 17 + b"1" + b"}" * 17,
        b'{"a": ' + b"1" * 5_000 + b"}",
        b'{"a": 1} trailing',
    ],
    ids=range(12),
)
def test_malformed_json(platform: Platform, function: str, route: Route[Any], body: bytes) -> None:
    answer = ask(platform, function, route, data=body, content_type="application/json")
    refused(platform, answer, 400, "malformed_body")


@every_post
@pytest.mark.parametrize("body", [[], "text", 1, None, True, [{}]])
def test_a_body_that_is_no_object(platform: Platform, function: str, route: Route[Any], body: Any) -> None:
    answer = ask(platform, function, route, data=json.dumps(body), content_type="application/json")
    problem = refused(platform, answer, 422, "invalid_request")
    assert [error.field for error in problem.errors] == [""]


@every_post
def test_an_unknown_field(platform: Platform, function: str, route: Route[Any]) -> None:
    problem = refused(
        platform, ask(platform, function, route, json={"is_admin": True}), 422, "invalid_request"
    )
    assert ("is_admin", "extra_forbidden") in {(error.field, error.code) for error in problem.errors}


def fits(field: FieldInfo, value: Any) -> bool:
    """Whether a field takes this value, on purpose."""
    try:
        TypeAdapter(field.rebuild_annotation()).validate_python(value, strict=True)
    except ValidationError:
        return False
    return True


@every_post
@pytest.mark.parametrize("wrong", [1.5, {}, [], None, True, {"$gt": 0}])
def test_every_field_of_another_type(
    platform: Platform, function: str, route: Route[Any], wrong: Any
) -> None:
    fields = [name for name, field in route.takes.model_fields.items() if not fits(field, wrong)]
    if not fields:
        return
    answer = ask(platform, function, route, json=dict.fromkeys(fields, wrong))
    problem = refused(platform, answer, 422, "invalid_request")
    missing = {name for name, field in route.takes.model_fields.items() if field.is_required()}
    named = {error.field.partition(".")[0] for error in problem.errors}
    assert set(fields) <= named <= set(fields) | missing


@every_post
def test_a_body_over_a_megabyte(platform: Platform, function: str, route: Route[Any]) -> None:
    body = b'{"name": "' + b"x" * 1_000_000 + b'"}'
    answer = ask(platform, function, route, data=body, content_type="application/json")
    refused(platform, answer, 413, "body_too_large")


@every_post
def test_a_body_over_a_megabyte_of_unannounced_length(
    platform: Platform, function: str, route: Route[Any]
) -> None:
    answer = ask(
        platform,
        function,
        route,
        input_stream=io.BytesIO(b" " * 1_000_001),
        content_type="application/json",
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )
    refused(platform, answer, 413, "body_too_large")


@every_post
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""])
def test_a_body_of_another_kind(platform: Platform, function: str, route: Route[Any], kind: str) -> None:
    answer = ask(platform, function, route, data=b"{}", content_type=kind)
    refused(platform, answer, 415, "unsupported_media_type")


@every_post
def test_a_post_with_a_query(platform: Platform, function: str, route: Route[Any]) -> None:
    answer = ask(platform, function, route, json={}, query_string={"debug": "1"})
    refused(platform, answer, 422, "invalid_request")


@every_get
@pytest.mark.parametrize("query", ["debug=1", "limit=0&x=1", "%00=1", "uid=someone"])
def test_an_unknown_query_parameter(platform: Platform, function: str, route: Route[Any], query: str) -> None:
    refused(platform, ask(platform, function, route, query_string=query), 422, "invalid_request")


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "limit=ten", "limit=1.5", "limit=", "limit=1&limit=2", "cursor=" + "x" * 1025],
)
@pytest.mark.parametrize("path", ["/v1/groups", "/v1/contributions"])
def test_a_page_that_cannot_be(platform: Platform, path: str, query: str) -> None:
    platform.people.add("ada")
    problem = refused(platform, platform.get(f"{path}?{query}", who="ada"), 422, "invalid_request")
    assert problem.errors[0].field in query


@pytest.mark.parametrize(
    "path",
    [
        "/v1/groups/a b",
        "/v1/groups/..%2F..",
        "/v1/groups/%00",
        "/v1/groups/grp_x/",
        "/v1/groups/grp_é",
        f"/v1/groups/{'x' * 129}",
        "/v1/groupsx",
        "/v2/groups",
        "/v1/users/ben",
        "/v1",
        "/",
        "/v1//groups",
        "/v1/groups/a%0Ab",  # the framework's own router takes no line break
        "/favicon.ico",
    ],
)
def test_an_address_of_nothing(platform: Platform, path: str) -> None:
    platform.people.add("ada")
    for function in AREAS:
        answer = platform.client(function).get(path, headers={"Authorization": "Bearer ada"})
        if answer.status_code == 308:  # the framework folds doubled slashes before we are asked
            continue
        refused(platform, answer, 404, "not_found")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "   "),
        ("name", "x" * 81),
        ("name", "bell\u0007"),
        ("name", "null\u0000"),
        ("amount_pence", "10000"),
        ("amount_pence", 10_000.0),
        ("currency", "usd"),
        ("frequency", "x" * 21),
        ("members", True),
        ("first_due_date", "04/01/2027"),
        ("first_due_date", "2027-02-30"),
        ("first_due_date", 1_800_000_000),
        ("order_method", "organiser's favourite"),
        ("default_policy", "guaranteed"),
        ("wait_days", 61),
        ("wait_days", -1),
        ("visibility", "secret"),
    ],
)
def test_terms_of_the_wrong_shape(platform: Platform, field: str, value: Any) -> None:
    platform.people.add("ada")
    terms = {
        "name": "Circle",
        "amount_pence": 10_000,
        "frequency": "weekly",
        "members": 5,
        "first_due_date": "2027-01-04",
    }
    answer = platform.post("/v1/groups", terms | {field: value}, "ada")
    problem = refused(platform, answer, 422, "invalid_request")
    assert [error.field for error in problem.errors] == [field]


@pytest.mark.parametrize(
    "url",
    [
        "http://app.example/back",
        "javascript:alert(1)",
        "//app.example",
        "https://",
        "https://user:pass@app.example/",  # pragma: allowlist secret
        "https://app.example:port/",
        "https://[::1",
        "https://app.example/a b",
        "https://app.example/\n",
        "https://äpp.example/",
        "https://app.example/" + "x" * 2048,
    ],
)
def test_a_way_back_that_is_no_way(platform: Platform, url: str) -> None:
    platform.people.add("ada")
    answer = platform.post("/v1/payment-methods/setups", {"kind": "card", "return_url": url}, "ada")
    problem = refused(platform, answer, 422, "invalid_request")
    assert [error.field for error in problem.errors] == ["return_url"]


def test_joining_needs_a_group_or_a_code(platform: Platform) -> None:
    platform.people.add("ada")
    refused(platform, platform.post("/v1/groups/join", {}, "ada"), 422, "invalid_request")
