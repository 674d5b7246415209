"""The stand-in for Cloud Tasks, by the real client: names, times, retries, tokens."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.api_core import exceptions
from google.cloud.tasks_v2 import CloudTasksClient, types
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport
from google.protobuf import duration_pb2

from infra.local import rpc
from infra.local.clock import TestClock
from infra.local.cloud_tasks import LocalCloudTasks, backoff

LOCATION = "projects/demo-ajo/locations/europe-west2"
QUEUE = f"{LOCATION}/queues/submit"
WAIT_SECONDS = 20


class Target:
    """An HTTP server that hands over each request and answers with the statuses it was told, then 204."""

    def __init__(self) -> None:
        self.requests: queue.Queue[tuple[str, dict[str, str], bytes]] = queue.Queue()
        self.statuses: list[int] = []
        target = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status = target.statuses.pop(0) if target.statuses else 204
                self.send_response(status)
                self.end_headers()
                target.requests.put((self.command, dict(self.headers), body))

            do_PUT = do_POST  # noqa: N815 - its name in http.server

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/_internal/submit"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def next(self) -> tuple[str, dict[str, str], bytes]:
        return self.requests.get(timeout=WAIT_SECONDS)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def target() -> Iterator[Target]:
    target = Target()
    yield target
    target.close()


@pytest.fixture
def clock(tmp_path: Path) -> TestClock:
    return TestClock(tmp_path / "clock")


@pytest.fixture
def tasks(clock: TestClock) -> Iterator[LocalCloudTasks]:
    with LocalCloudTasks(clock, lambda audience, email: f"token of {email} for {audience}") as tasks:
        yield tasks


@pytest.fixture
def client(tasks: LocalCloudTasks) -> Iterator[CloudTasksClient]:
    with rpc.serving([tasks.service()]) as host, grpc.insecure_channel(host) as channel:
        client = CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))
        client.create_queue(parent=LOCATION, queue=types.Queue(name=QUEUE))
        yield client


def task(url: str, name: str = "", **fields: Any) -> types.Task:
    request = types.HttpRequest(url=url, body=b'{"attempt":"att_1"}', **fields.pop("request", {}))
    return types.Task(name=f"{QUEUE}/tasks/{name}" if name else "", http_request=request, **fields)


def until(holds: Callable[[], bool]) -> None:
    """Wait for a state of another thread."""
    waited = threading.Event()
    for _ in range(WAIT_SECONDS * 100):
        if holds():
            return
        waited.wait(0.01)
    raise AssertionError("it never came to hold")


def gone(client: CloudTasksClient, name: str) -> bool:
    return name not in [one.name for one in client.list_tasks(parent=QUEUE)]


def test_a_task_arrives_with_method_headers_body_and_token(
    client: CloudTasksClient, target: Target, clock: TestClock
) -> None:
    request = {
        "http_method": types.HttpMethod.PUT,
        "headers": {"Content-Type": "application/json"},
        "oidc_token": types.OidcToken(service_account_email="invoker@demo-ajo", audience="ajo"),
    }
    made = client.create_task(parent=QUEUE, task=task(target.url, "one", request=request))

    method, headers, body = target.next()

    assert made.name == f"{QUEUE}/tasks/one"
    assert (method, body) == ("PUT", b'{"attempt":"att_1"}')
    assert headers["Content-Type"] == "application/json"
    assert headers["Authorization"] == "Bearer token of invoker@demo-ajo for ajo"
    assert headers["X-CloudTasks-QueueName"] == "submit"
    assert headers["X-CloudTasks-TaskName"] == "one"
    assert headers["X-CloudTasks-TaskRetryCount"] == "0"
    assert float(headers["X-CloudTasks-TaskETA"]) == pytest.approx(clock.now().timestamp(), abs=60)


def test_a_used_name_is_refused_for_an_hour_after_the_task_is_gone(
    client: CloudTasksClient, target: Target, clock: TestClock
) -> None:
    made = client.create_task(parent=QUEUE, task=task(target.url, "one"))
    target.next()
    until(lambda: gone(client, made.name))

    clock.advance(3590)
    with pytest.raises(exceptions.AlreadyExists):
        client.create_task(parent=QUEUE, task=task(target.url, "one"))

    clock.advance(20)
    client.create_task(parent=QUEUE, task=task(target.url, "one"))
    target.next()


def test_a_deleted_task_is_not_sent_and_its_name_stays_used(
    client: CloudTasksClient, target: Target, clock: TestClock
) -> None:
    later = clock.now() + timedelta(hours=2)
    made = client.create_task(parent=QUEUE, task=task(target.url, "one", schedule_time=later))
    assert client.get_task(name=made.name).name == made.name

    client.delete_task(name=made.name)

    with pytest.raises(exceptions.NotFound):
        client.get_task(name=made.name)
    with pytest.raises(exceptions.NotFound):
        client.delete_task(name=made.name)
    with pytest.raises(exceptions.AlreadyExists):
        client.create_task(parent=QUEUE, task=task(target.url, "one"))
    assert target.requests.empty()


def test_a_scheduled_task_waits_for_the_platforms_clock(
    client: CloudTasksClient, tasks: LocalCloudTasks, target: Target, clock: TestClock
) -> None:
    client.create_task(
        parent=QUEUE, task=task(target.url, "one", schedule_time=clock.now() + timedelta(days=5))
    )
    assert tasks.runnable() == 0
    assert target.requests.empty()

    clock.advance(5 * 86_400 + 1)
    assert tasks.runnable() == 1
    tasks.clock_moved()

    target.next()
    until(lambda: tasks.runnable() == 0)


def test_what_fails_is_tried_again_after_the_queues_backoff(
    client: CloudTasksClient, tasks: LocalCloudTasks, target: Target
) -> None:
    target.statuses = [500, 409]
    made = client.create_task(parent=QUEUE, task=task(target.url, "one"))

    tries = [target.next()[1] for _ in range(3)]
    until(lambda: gone(client, made.name))

    assert [one["X-CloudTasks-TaskRetryCount"] for one in tries] == ["0", "1", "2"]
    assert [one.get("X-CloudTasks-TaskPreviousResponse") for one in tries] == [None, "500", "409"]
    assert tasks.runnable() == 0


def test_a_task_is_given_up_after_its_queues_attempts(client: CloudTasksClient, target: Target) -> None:
    few = f"{LOCATION}/queues/few"
    retry = types.RetryConfig(max_attempts=2, min_backoff=duration_pb2.Duration(nanos=1_000_000))
    client.create_queue(parent=LOCATION, queue=types.Queue(name=few, retry_config=retry))
    target.statuses = [500] * 9
    client.create_task(parent=few, task=types.Task(http_request=types.HttpRequest(url=target.url)))

    target.next()
    target.next()
    until(lambda: not list(client.list_tasks(parent=few)))

    assert target.requests.empty()


def test_a_task_without_an_answer_is_tried_again(
    client: CloudTasksClient, tasks: LocalCloudTasks, target: Target
) -> None:
    url = target.url
    target.close()

    made = client.create_task(parent=QUEUE, task=task(url, "one"))

    until(lambda: tasks._tasks[made.name].attempts > 1)
    client.delete_task(name=made.name)


def test_the_backoff_is_the_documented_series() -> None:
    retry = types.RetryConfig(
        min_backoff=duration_pb2.Duration(seconds=10),
        max_backoff=duration_pb2.Duration(seconds=300),
        max_doublings=3,
    )
    series = [backoff(retry, failures).total_seconds() for failures in range(1, 9)]
    assert series == [10, 20, 40, 80, 160, 240, 300, 300]


@pytest.mark.parametrize(
    ("parent", "wrong", "error"),
    [
        (f"{LOCATION}/queues/none", task("http://127.0.0.1/"), exceptions.NotFound),
        (QUEUE, types.Task(), exceptions.InvalidArgument),
        (QUEUE, types.Task(name="elsewhere/tasks/x"), exceptions.InvalidArgument),
        (
            QUEUE,
            types.Task(http_request=types.HttpRequest(url="http://127.0.0.1/", body=b"x" * 1024 * 1024)),
            exceptions.InvalidArgument,
        ),
    ],
)
def test_what_cloud_tasks_refuses_is_refused(
    client: CloudTasksClient, parent: str, wrong: types.Task, error: type[Exception]
) -> None:
    with pytest.raises(error):
        client.create_task(parent=parent, task=wrong)


def test_no_task_is_scheduled_further_than_thirty_days(client: CloudTasksClient, clock: TestClock) -> None:
    far = clock.now() + timedelta(days=31)
    with pytest.raises(exceptions.InvalidArgument):
        client.create_task(parent=QUEUE, task=task("http://127.0.0.1/", "one", schedule_time=far))


def test_queues_and_pages(client: CloudTasksClient, clock: TestClock) -> None:
    later = clock.now() + timedelta(days=1)
    for number in range(5):
        client.create_task(parent=QUEUE, task=task("http://127.0.0.1/", f"t{number}", schedule_time=later))
    request = types.ListTasksRequest(parent=QUEUE, page_size=2)

    assert [one.name[-2:] for one in client.list_tasks(request=request)] == ["t0", "t1", "t2", "t3", "t4"]
    assert client.get_queue(name=QUEUE).retry_config.max_attempts == 100
    with pytest.raises(exceptions.AlreadyExists):
        client.create_queue(parent=LOCATION, queue=types.Queue(name=QUEUE))
    with pytest.raises(exceptions.NotFound):
        client.get_queue(name=f"{LOCATION}/queues/none")
