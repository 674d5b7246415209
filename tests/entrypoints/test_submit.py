"""Cloud Tasks' calls: only from Cloud Tasks, answered so that what may pass later is tried again."""

from __future__ import annotations

from typing import Any

import pytest

from shared.services.context import Command
from tests.entrypoints.platform import CALLER_TOKEN, Platform, Reply


def call(platform: Platform, body: Any, token: str | None = CALLER_TOKEN, **headers: str) -> Reply:
    given = {} if token is None else {"Authorization": f"Bearer {token}"}
    return platform.client("submit").post("/", json=body, headers=given | headers)


@pytest.mark.parametrize(("token", "code"), [(None, "no_token"), ("forged", "bad_token")])
def test_only_cloud_tasks_may_call(platform: Platform, token: str | None, code: str) -> None:
    answer = call(platform, {"kind": "contribution", "group": "grp_x", "id": "con_x"}, token)
    assert (answer.status_code, answer.json["code"]) == (401, code)
    assert (platform.store.loads, platform.store.commits) == (0, 0)


@pytest.mark.parametrize("body", [[], "text", 1, False])
def test_a_task_that_is_no_object(platform: Platform, body: Any) -> None:
    answer = call(platform, body)
    assert (answer.status_code, answer.json["code"]) == (400, "malformed_body")


def test_a_task_that_is_none_of_ours(platform: Platform) -> None:
    answer = call(platform, {"kind": "gift"})
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_request")
    assert platform.store.commits == 0


def test_a_task_is_tried_again_while_the_store_is_down(platform: Platform) -> None:
    platform.store.down = True
    answer = call(platform, {"kind": "contribution", "group": "grp_x", "id": "con_x"})
    assert answer.status_code == 503


def test_the_task_names_the_command(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    from shared.services import submit

    seen: list[Any] = []

    def noted(ctx: object, command: Command, task: dict[str, Any]) -> dict[str, Any]:
        seen.append((command, task))
        return {}

    monkeypatch.setattr(submit, "submit", noted)
    body = {"kind": "contribution", "group": "grp_x", "id": "con_x"}
    assert call(platform, body, **{"X-CloudTasks-TaskName": "task-1"}).status_code == 200
    ((command, given),) = seen
    assert (command.actor, command.id, command.key) == ("system:submit", "submit:task-1", None)
    assert given == body
