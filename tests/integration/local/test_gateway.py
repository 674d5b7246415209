"""The gateway's ways to a function, with tiny functions in a folder of their own."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse
from werkzeug.wrappers import Response

from infra.local.gateway import PUSH_ATTEMPTS_MAX, Functions, Gateway
from infra.local.platform import ROOT
from infra.local.pubsub_proxy import PUSH
from infra.local.work import Work

KEY = "the-key-of-this-run"
HOSTING = json.loads((ROOT / "firebase.json").read_text())["hosting"]
REWRITES = [(rewrite["function"]["functionId"], rewrite["source"]) for rewrite in HOSTING["rewrites"]]

ECHO = """
import flask, functions_framework

@functions_framework.http
def {name}(request):
    answer = flask.jsonify(
        function="{name}",
        path=request.path,
        query=request.query_string.decode(),
        cookies=request.cookies,
        headers=dict(request.headers),
        body=request.get_data(as_text=True),
    )
    answer.set_cookie("__session", "fresh")
    answer.headers["Cache-Control"] = request.args.get("cache", "no-cache")
    return answer
"""
RECEIVER = """
import flask, functions_framework

@functions_framework.cloud_event
def {name}(event):
    if event.data["message"].get("attributes", {{}}).get("fails"):
        raise RuntimeError("it fails")
    request, seen = flask.request, flask.current_app.config.setdefault("seen", [])
    seen.append([event["type"], request.headers["Authorization"], event.data["message"]["data"], request.url])
"""


class Local:
    """A gateway over some functions, and what drives it."""

    def __init__(self, folder: Path) -> None:
        self.work = Work()
        self.folder = folder
        self.functions = Functions(folder)
        public = folder / "public"
        public.mkdir()
        (public / "robots.txt").write_text("User-agent: *")
        gateway = Gateway(
            self.functions, HOSTING, public, Response("local"), self.work, lambda: "signed", push_key=KEY
        )
        self.client = Client(gateway)

    def add(self, name: str, source: str = ECHO) -> None:
        (self.folder / name).mkdir()
        (self.folder / name / "main.py").write_text(source.format(name=name))

    def get(self, path: str, **how: Any) -> Any:
        return self.client.get(path, **how).get_json()

    def push(self, function: str, message_id: str = "1", key: str = KEY, **attributes: str) -> TestResponse:
        message = {
            "data": base64.b64encode(b"{}").decode(),
            "messageId": message_id,
            "attributes": attributes,
        }
        envelope = {"subscription": f"projects/demo-ajo/subscriptions/{function}", "message": message}
        return self.client.post(f"/_push/{function}?key={key}", json=envelope)


@pytest.fixture
def local(tmp_path: Path) -> Local:
    return Local(tmp_path)


def test_every_rewrite_of_firebase_json_leads_to_its_function(local: Local) -> None:
    for function, source in REWRITES:
        if function not in local.functions:
            local.add(function)
        root = source.removesuffix("{,/**}").removesuffix("/**")

        for path in (root or "/", f"{root}/a/b"):
            answer = local.get(f"{path}?a=1")
            assert (answer["function"], answer["path"], answer["query"]) == (function, path, "a=1")


@pytest.mark.parametrize(
    ("path", "function"),
    [
        ("/v1/users", "users"),
        ("/v1/users%2Fusr_1", "users"),
        ("/v1/usersx", "portal"),
        ("/V1/users", "portal"),
        ("//v1/users", "portal"),
        ("/webhooks/stripe/connect", "stripe_webhook"),
        ("/.well-known/security.txt", "portal"),
    ],
)
def test_the_first_rewrite_that_matches_wins(local: Local, path: str, function: str) -> None:
    for name in {function for function, _ in REWRITES}:
        local.add(name)
    assert local.get(path)["function"] == function


def test_of_the_cookies_only_the_session_passes(local: Local) -> None:
    local.add("portal")
    for name in ("__session", "tracking"):
        local.client.set_cookie(name, f"the-{name}")
    assert local.get("/")["cookies"] == {"__session": "the-__session"}


@pytest.mark.parametrize(("cache", "kept"), [("no-cache", False), ("private, max-age=0", True)])
def test_a_cookie_is_set_by_private_answers_alone(local: Local, cache: str, kept: bool) -> None:
    local.add("portal")
    answer = local.client.get("/", query_string={"cache": cache})
    assert ("Set-Cookie" in answer.headers) is kept


def test_a_function_is_told_who_called(local: Local) -> None:
    local.add("portal")
    where = {"REMOTE_ADDR": "127.0.0.9"}
    headers = local.get("/", headers={"X-Forwarded-For": "1.2.3.4"}, environ_overrides=where)["headers"]
    assert headers["X-Forwarded-For"] == "1.2.3.4, 127.0.0.9"
    assert headers["X-Forwarded-Host"] == "localhost"


def test_static_files_come_before_the_rewrites(local: Local) -> None:
    local.add("portal")
    answer = local.client.get("/robots.txt")
    assert answer.text == "User-agent: *"
    answer.close()


def test_a_function_without_a_folder_is_not_found_until_there_is_one(local: Local) -> None:
    answer = local.client.get("/v1/groups")
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert json.loads(answer.text)["code"] == "no_such_function"

    local.add("groups")

    assert local.get("/v1/groups")["function"] == "groups"


def test_a_function_that_does_not_load_says_so_and_leaves_the_others_alone(local: Local) -> None:
    local.add("users", "raise RuntimeError('no such setting')")
    local.add("groups")

    answer = local.client.get("/v1/users")

    assert answer.status_code == 500
    assert "no such setting" in json.loads(answer.text)["detail"]
    assert local.get("/v1/groups")["function"] == "groups"


def test_an_http_function_without_decorator_stays_one_after_an_event_function(local: Local) -> None:
    local.add("relay", RECEIVER)
    local.add("groups", ECHO.replace("@functions_framework.http", ""))
    local.push("relay")
    assert local.get("/v1/groups")["function"] == "groups"


def test_a_function_has_an_address_of_its_own(local: Local) -> None:
    local.add("submit")
    for path in ("/_internal/submit", "/_internal/submit/"):
        answer = local.client.post(
            path, data="attempt", headers={"Authorization": "Bearer theirs"}
        ).get_json()
        assert (answer["path"], answer["body"]) == ("/", "attempt")
        assert answer["headers"]["Authorization"] == "Bearer theirs"
    for path in ("/_internal/none", "/_internal/", "/_internal/../users", "/_internal"):
        assert local.client.post(path).status_code == 404


def test_a_push_arrives_as_an_event_with_the_token_that_pubsub_would_add(local: Local) -> None:
    local.add("relay", RECEIVER)
    local.work.expect(PUSH, ("projects/demo-ajo/subscriptions/relay", "1"))

    assert local.push("relay").status_code == 200

    [[kind, authorization, data, url]] = local.functions.app("relay").config["seen"]  # type: ignore[attr-defined]
    assert kind == "google.cloud.pubsub.topic.v1.messagePublished"
    assert authorization == "Bearer signed"
    assert base64.b64decode(data) == b"{}"
    assert KEY not in url
    assert local.work.under_way() == {}


def test_only_who_knows_the_key_is_signed_for(local: Local) -> None:
    local.add("relay", RECEIVER)
    for key in ("", "guessed"):
        assert local.push("relay", key=key).status_code == 403


def test_a_push_that_fails_is_under_way_until_it_goes_to_the_dead_letters(local: Local) -> None:
    local.add("relay", RECEIVER)
    local.work.expect(PUSH, ("projects/demo-ajo/subscriptions/relay", "7"))

    for _ in range(PUSH_ATTEMPTS_MAX - 1):
        assert local.push("relay", message_id="7", fails="yes").status_code == 500
        assert local.work.under_way() == {PUSH: 1}
    local.push("relay", message_id="7", fails="yes")

    assert local.work.under_way() == {}


def test_what_is_local_passes_no_function(local: Local) -> None:
    local.add("portal")
    assert local.client.get("/_local/clock").text == "local"
    assert local.client.get("/healthz").text == "local"
