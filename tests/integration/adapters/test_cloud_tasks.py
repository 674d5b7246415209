"""`CloudTaskQueue` on the local Cloud Tasks, through the real client."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from google.cloud.tasks_v2 import types
from google.protobuf import duration_pb2

from infra.local import rpc
from infra.local.clock import TestClock
from infra.local.cloud_tasks import LocalCloudTasks
from infra.local.process import free_port
from shared.adapters.cloud_tasks import CloudTaskQueue
from shared.ports import QueueFailed
from tests.integration.adapters.receiver import Receiver, receiving

QUEUE = "projects/demo-ajo/locations/europe-west2/queues/submit"
WAIT_SECONDS_MAX = 30


@dataclass
class Setting:
    """A queue, the function that its tasks go to, and the clock."""

    host: str
    queue: CloudTaskQueue
    receiver: Receiver
    clock: TestClock
    server: LocalCloudTasks


def queue_at(host: str, url: str) -> CloudTaskQueue:
    return CloudTaskQueue(QUEUE, f"{url}/_internal/submit", url, "invoker@demo-ajo.test", host)


@pytest.fixture
def setting(tmp_path: Path) -> Iterator[Setting]:
    clock = TestClock(tmp_path / "clock")
    with (
        receiving() as receiver,
        LocalCloudTasks(clock, lambda audience, email: f"{email} for {audience}") as server,
        rpc.serving([server.service()]) as host,
    ):
        retries = types.RetryConfig(min_backoff=duration_pb2.Duration(seconds=1))
        server.create_queue(types.CreateQueueRequest(queue=types.Queue(name=QUEUE, retry_config=retries)))
        yield Setting(host, queue_at(host, receiver.url), receiver, clock, server)


def test_a_task_is_posted_as_json_with_our_token(setting: Setting) -> None:
    setting.queue.enqueue("attempt con_1/1 try 2", {"attempt": "att_1", "name": "Adé"})
    request = setting.receiver.requests.get(timeout=WAIT_SECONDS_MAX)
    assert (request.method, request.path) == ("POST", "/_internal/submit")
    assert request.mimetype == "application/json"
    assert json.loads(request.get_data()) == {"attempt": "att_1", "name": "Adé"}
    assert request.headers["Authorization"] == f"Bearer invoker@demo-ajo.test for {setting.receiver.url}"


def test_a_used_name_changes_nothing(setting: Setting) -> None:
    for _ in range(3):
        setting.queue.enqueue("att_1", {"attempt": "att_1"})
    setting.receiver.requests.get(timeout=WAIT_SECONDS_MAX)
    setting.queue.enqueue("att_1", {"attempt": "att_1"})  # also when the task is done
    setting.queue.enqueue("att_2", {"attempt": "att_2"})
    request = setting.receiver.requests.get(timeout=WAIT_SECONDS_MAX)
    assert json.loads(request.get_data()) == {"attempt": "att_2"}
    assert setting.receiver.requests.empty()


def test_a_task_waits_for_its_time(setting: Setting) -> None:
    due = datetime.now(UTC) + timedelta(hours=2)
    setting.queue.enqueue("att_1", {"attempt": "att_1"}, at=due)
    [task] = setting.server.list_tasks(types.ListTasksRequest(parent=QUEUE)).tasks
    assert task.schedule_time == due
    assert setting.receiver.requests.empty()
    setting.clock.advance(3 * 3600)
    setting.server.clock_moved()
    setting.receiver.requests.get(timeout=WAIT_SECONDS_MAX)


def test_names_are_what_cloud_tasks_takes() -> None:
    queue = queue_at("127.0.0.1:1", "http://127.0.0.1:1")
    name = queue.task_name("grp_1/con_2: versuch № 3")
    assert name.startswith(f"{QUEUE}/tasks/")
    assert name.removeprefix(f"{QUEUE}/tasks/").isalnum()
    assert name != queue.task_name("grp_1/con_2: versuch № 4")


def test_an_unknown_queue_and_a_silent_server_are_told(setting: Setting) -> None:
    elsewhere = CloudTaskQueue(
        f"{QUEUE}-x", setting.receiver.url, "a", "e@x.test", f"127.0.0.1:{free_port()}"
    )
    with pytest.raises(QueueFailed):
        elsewhere.enqueue("att_1", {})
    with pytest.raises(QueueFailed):
        queue_at(f"127.0.0.1:{free_port()}", setting.receiver.url).enqueue("att_1", {})
