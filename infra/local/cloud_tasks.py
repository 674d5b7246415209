"""Cloud Tasks for the real client: queues in memory that dispatch HTTP tasks by the platform's clock.

google.cloud.tasks.v2.CloudTasks with CreateQueue, GetQueue, CreateTask, GetTask, ListTasks and DeleteTask.
What decides is as documented at cloud.google.com/tasks/docs/reference/rpc/google.cloud.tasks.v2:

- a task's name stays used for an hour after the task is gone: ALREADY_EXISTS;
- an answer of 2xx ends a task, any other has it tried again, after a backoff that doubles `max_doublings`
  times and then rises by the same step, up to `max_backoff`, until both `max_attempts` are made and
  `max_retry_duration` has passed;
- each request carries the X-CloudTasks-* headers, and an OIDC token where the task asks for one.

Schedule times, backoff and the hour go by the test clock, so a jump makes due what it passes.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import urllib3
from google.cloud.tasks_v2 import types
from google.protobuf import duration_pb2, empty_pb2

from infra.local import rpc
from infra.local.clock import TestClock

SERVICE = "google.cloud.tasks.v2.CloudTasks"
NAME_STAYS_USED = timedelta(hours=1)
SCHEDULE_AHEAD_MAX = timedelta(days=30)
TASK_BYTES_MAX = 1024 * 1024
DISPATCH_DEADLINE_SECONDS = 600
DISPATCHES_AT_ONCE = 16
CLOCK_READ_SECONDS = 0.25  # how late a jump of the clock is seen that nobody told us of
SOON = timedelta(seconds=10)  # a task that is due within this counts as runnable: it will run unasked

# What a queue has where its creator said nothing.
RETRY_DEFAULTS = types.RetryConfig(
    max_attempts=100,
    min_backoff=duration_pb2.Duration(nanos=100_000_000),
    max_backoff=duration_pb2.Duration(seconds=3600),
    max_doublings=16,
)

SignToken = Callable[[str, str], str]
"""Makes an OIDC token from an audience and a service account's address."""


@dataclass
class _Kept:
    """A task, and what the queue knows of it."""

    task: types.Task
    due: datetime
    dispatching: bool = False
    attempts: int = 0
    first_attempt: datetime | None = None
    last_status: int | None = None


class LocalCloudTasks:
    """Use as a context manager: tasks are dispatched while the block runs."""

    def __init__(self, clock: TestClock, sign: SignToken) -> None:
        self._clock = clock
        self._sign = sign
        self._wake = threading.Condition()
        self._queues: dict[str, types.Queue] = {}
        self._tasks: dict[str, _Kept] = {}
        self._used: dict[str, datetime] = {}
        self._stopping = False
        self._pool = ThreadPoolExecutor(DISPATCHES_AT_ONCE, "task")
        self._http = urllib3.PoolManager(maxsize=DISPATCHES_AT_ONCE, retries=False)
        self._dispatcher = threading.Thread(target=self._dispatch_due, name="tasks", daemon=True)

    def __enter__(self) -> LocalCloudTasks:
        self._dispatcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        self._dispatcher.join()
        self._pool.shutdown(cancel_futures=True)
        self._http.clear()

    def service(self) -> rpc.Handler:
        """For `rpc.serving`."""
        return rpc.service(
            SERVICE,
            {
                "CreateQueue": (self.create_queue, types.CreateQueueRequest, types.Queue),
                "GetQueue": (self.get_queue, types.GetQueueRequest, types.Queue),
                "CreateTask": (self.create_task, types.CreateTaskRequest, types.Task),
                "GetTask": (self.get_task, types.GetTaskRequest, types.Task),
                "ListTasks": (self.list_tasks, types.ListTasksRequest, types.ListTasksResponse),
                "DeleteTask": (self.delete_task, types.DeleteTaskRequest, empty_pb2.Empty),
            },
        )

    def runnable(self) -> int:
        """How many tasks run now, or will within SOON without the clock being moved."""
        with self._wake:
            horizon = self._clock.now() + SOON
            return sum(kept.dispatching or kept.due <= horizon for kept in self._tasks.values())

    def clock_moved(self) -> None:
        """Look at once for tasks that a jump made due."""
        with self._wake:
            self._wake.notify_all()

    # --- the service -------------------------------------------------------------------------------------

    def create_queue(self, request: types.CreateQueueRequest) -> types.Queue:
        """A queue, running, with the documented retry settings where none are given."""
        queue = request.queue
        with self._wake:
            if queue.name in self._queues:
                raise rpc.Refused(grpc.StatusCode.ALREADY_EXISTS, "Queue already exists.")
            kept = types.Queue(
                name=queue.name, retry_config=_with_defaults(queue.retry_config), state="RUNNING"
            )
            self._queues[queue.name] = kept
            return kept

    def get_queue(self, request: types.GetQueueRequest) -> types.Queue:
        """By name."""
        with self._wake:
            return self._queue(request.name)

    def create_task(self, request: types.CreateTaskRequest) -> types.Task:
        """Queue a task. Without a name it gets one; without a time, or with one that is past, it runs now."""
        task = request.task
        with self._wake:
            self._queue(request.parent)
            now = self._clock.now()
            task.name = task.name or f"{request.parent}/tasks/{uuid.uuid4().int}"
            self._refuse_wrong(task, request.parent, now)
            due = max(now, _time(task.schedule_time)) if task.schedule_time else now
            kept = types.Task(task, schedule_time=due, create_time=now)
            self._tasks[task.name] = _Kept(kept, due)
            self._wake.notify_all()
            return kept

    def get_task(self, request: types.GetTaskRequest) -> types.Task:
        """By name, while it is queued."""
        with self._wake:
            return self._kept(request.name).task

    def list_tasks(self, request: types.ListTasksRequest) -> types.ListTasksResponse:
        """A queue's tasks by name, a page at a time."""
        with self._wake:
            self._queue(request.parent)
            names = sorted(name for name in self._tasks if name.startswith(f"{request.parent}/tasks/"))
            begin = int(request.page_token or 0)
            end = begin + (request.page_size or 1000)
            return types.ListTasksResponse(
                tasks=[self._tasks[name].task for name in names[begin:end]],
                next_page_token=str(end) if end < len(names) else "",
            )

    def delete_task(self, request: types.DeleteTaskRequest) -> empty_pb2.Empty:
        """Take a task from its queue. Its name stays used."""
        with self._wake:
            self._kept(request.name)
            self._forget(request.name)
            return empty_pb2.Empty()

    def _refuse_wrong(self, task: types.Task, queue: str, now: datetime) -> None:
        if not task.name.startswith(f"{queue}/tasks/"):
            raise rpc.Refused(grpc.StatusCode.INVALID_ARGUMENT, "The task's name is not of that queue.")
        if not task.http_request.url:
            raise rpc.Refused(grpc.StatusCode.INVALID_ARGUMENT, "HttpRequest.url is required.")
        if task.schedule_time and _time(task.schedule_time) > now + SCHEDULE_AHEAD_MAX:
            raise rpc.Refused(grpc.StatusCode.INVALID_ARGUMENT, "The schedule time is over 30 days ahead.")
        if types.Task.pb(task).ByteSize() > TASK_BYTES_MAX:
            raise rpc.Refused(grpc.StatusCode.INVALID_ARGUMENT, "Task size too large.")
        used_until = self._used.get(task.name)
        if task.name in self._tasks or (used_until is not None and used_until > now):
            raise rpc.Refused(grpc.StatusCode.ALREADY_EXISTS, "Requested entity already exists")

    def _queue(self, name: str) -> types.Queue:
        if name not in self._queues:
            raise rpc.Refused(grpc.StatusCode.NOT_FOUND, "Queue does not exist.")
        return self._queues[name]

    def _kept(self, name: str) -> _Kept:
        if name not in self._tasks:
            raise rpc.Refused(grpc.StatusCode.NOT_FOUND, "The task does not exist.")
        return self._tasks[name]

    def _forget(self, name: str) -> None:
        self._tasks.pop(name, None)
        self._used[name] = self._clock.now() + NAME_STAYS_USED

    # --- dispatch ----------------------------------------------------------------------------------------

    def _dispatch_due(self) -> None:
        with self._wake:
            while not self._stopping:
                now = self._clock.now()
                waiting = [kept for kept in self._tasks.values() if not kept.dispatching]
                for kept in sorted(waiting, key=lambda one: one.due):
                    if kept.due <= now:
                        kept.dispatching = True
                        self._pool.submit(self._attempt, kept)
                ahead = [(kept.due - now).total_seconds() for kept in waiting if kept.due > now]
                self._wake.wait(min([CLOCK_READ_SECONDS, *ahead]))

    def _attempt(self, kept: _Kept) -> None:
        status = self._send(kept)
        with self._wake:
            now = self._clock.now()
            kept.attempts += 1
            kept.first_attempt = kept.first_attempt or now
            kept.last_status = status
            queue = self._queues[kept.task.name.rpartition("/tasks/")[0]]
            if (status is not None and 200 <= status < 300) or _exhausted(queue.retry_config, kept, now):
                self._forget(kept.task.name)
            else:
                kept.due = now + backoff(queue.retry_config, kept.attempts)
                kept.dispatching = False
            self._wake.notify_all()

    def _send(self, kept: _Kept) -> int | None:
        """The answer's status, None where none came."""
        request = kept.task.http_request
        method = request.http_method or types.HttpMethod.POST
        deadline = kept.task.dispatch_deadline
        try:
            answer = self._http.request(
                types.HttpMethod(method).name,
                request.url,
                body=request.body or None,
                headers=self._headers(kept),
                timeout=_span(deadline).total_seconds() or DISPATCH_DEADLINE_SECONDS,
                redirect=False,
            )
        except urllib3.exceptions.HTTPError:
            return None
        return answer.status

    def _headers(self, kept: _Kept) -> dict[str, str]:
        request = kept.task.http_request
        queue, _, task_id = kept.task.name.rpartition("/tasks/")
        headers = {
            **request.headers,
            "User-Agent": "Google-Cloud-Tasks",
            "X-CloudTasks-QueueName": queue.rpartition("/")[2],
            "X-CloudTasks-TaskName": task_id,
            "X-CloudTasks-TaskRetryCount": str(kept.attempts),
            "X-CloudTasks-TaskExecutionCount": str(kept.attempts),
            "X-CloudTasks-TaskETA": f"{_time(kept.task.schedule_time).timestamp():.6f}",
        }
        if kept.last_status is not None:
            headers["X-CloudTasks-TaskPreviousResponse"] = str(kept.last_status)
        if request.oidc_token.service_account_email:
            token = self._sign(
                request.oidc_token.audience or request.url, request.oidc_token.service_account_email
            )
            headers["Authorization"] = f"Bearer {token}"
        return headers


def backoff(retry: types.RetryConfig, failures: int) -> timedelta:
    """How long to wait after so many failures: with 10 s, 3 doublings and at most 300 s, as the documentation
    has it, 10, 20, 40, 80, 160, 240, 300, 300 …
    """
    doublings = min(failures - 1, retry.max_doublings)
    steps = max(1, failures - retry.max_doublings)
    wait: timedelta = min(_span(retry.min_backoff) * 2**doublings * steps, _span(retry.max_backoff))
    return wait


def _exhausted(retry: types.RetryConfig, kept: _Kept, now: datetime) -> bool:
    if retry.max_attempts == -1 or kept.attempts < retry.max_attempts:
        return False
    duration = _span(retry.max_retry_duration)
    return not duration or kept.first_attempt is None or now >= kept.first_attempt + duration


def _with_defaults(given: types.RetryConfig) -> types.RetryConfig:
    """Each setting that is zero is not set."""
    settings: dict[str, Any] = {
        name: getattr(given, name) or getattr(RETRY_DEFAULTS, name)
        for name in ("max_attempts", "min_backoff", "max_backoff", "max_doublings")
    }
    return types.RetryConfig(max_retry_duration=given.max_retry_duration, **settings)


def _span(duration: Any) -> timedelta:
    return timedelta(seconds=duration.total_seconds()) if duration else timedelta(0)


def _time(moment: Any) -> datetime:
    return datetime.fromtimestamp(moment.timestamp(), UTC)
