"""The process that hosts the functions and the small servers around them: `python -m infra.local.host`.

Gateway, task queue, secrets, Pub/Sub proxy and schedule share it, so that what is under way can be counted
(see `work`). It reads the same environment as the functions do, which `Platform.environment` makes.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import secrets
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
from google.cloud.tasks_v2 import types as tasks_types
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport
from google.pubsub_v1.types import DeadLetterPolicy, PushConfig, Subscription
from waitress.server import create_server

from infra.local import mail, rpc
from infra.local.clock import TestClock
from infra.local.cloud_tasks import LocalCloudTasks
from infra.local.control import Control, control_app
from infra.local.gateway import PUSH_ATTEMPTS_MAX, Functions, Gateway
from infra.local.mail import MailSink
from infra.local.oidc import TokenIssuer
from infra.local.pubsub_proxy import PubSubProxy
from infra.local.scheduler import Scheduler, read_jobs
from infra.local.secret_manager import LocalSecretManager
from infra.local.work import Work
from shared.adapters.pubsub import PubSubPublisher

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

# Topics that are not ticks, and the functions that receive them.
EVENT_TOPICS = {"process_payment_event": ["process_payment_event"], "facts": ["notify", "show_progress"]}
DEAD_LETTERS = "dead_letters"
ACK_DEADLINE_SECONDS = 60  # the first call of a function loads it, which has taken 8 s on a busy machine

# Functions block on the emulators most of the time; more threads than this gain nothing on two cores.
GATEWAY_THREADS = 32
# Certificates are asked for from within requests: they get threads of their own, lest 32 requests that all
# wait for them hold every thread that could answer.
CONTROL_THREADS = 8
# Pub/Sub's emulator keeps a connection for each push under way: at waitress's 100 all others were shut out.
CONNECTIONS_MAX = 1000  # clients keep theirs open between calls; those that wait hold no thread
REQUEST_BYTES_MAX = 32 * 1024 * 1024  # Cloud Run functions' own limit; waitress spools to a file from 512 KB

log = logging.getLogger("infra.local.host")


def main() -> None:
    """Serve until told to stop."""
    options = _options()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    for noisy in ("waitress.queue", "urllib3", "google"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        # By a thread: a handler may come while this one holds the Event's lock, and wait for it for ever.
        signal.signal(number, lambda *_: threading.Thread(target=stop.set).start())
    with _hosting(options, stop):
        stop.wait()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local.host", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="of the gateway")
    parser.add_argument("--control-port", type=int, required=True)
    parser.add_argument("--functions", type=Path, required=True, metavar="DIR")
    parser.add_argument("--firebase-json", type=Path, required=True, metavar="FILE")
    parser.add_argument("--schedule", type=Path, required=True, metavar="FILE")
    parser.add_argument("--no-ticks", action="store_true", help="fire jobs only when told to")
    parser.add_argument("--secrets", type=Path, required=True, metavar="FILE")
    parser.add_argument("--pubsub-emulator", required=True, metavar="HOST:PORT")
    return parser.parse_args()


@contextlib.contextmanager
def _hosting(options: argparse.Namespace, stop: threading.Event) -> Iterator[None]:
    environment = os.environ
    project = environment["GOOGLE_CLOUD_PROJECT"]
    clock = TestClock(Path(environment["AJO_CLOCK_FILE"]))
    issuer = TokenIssuer(environment["AJO_OIDC_ISSUER"])
    work = Work()
    functions = Functions(options.functions)
    with contextlib.ExitStack() as stack:
        tasks = stack.enter_context(LocalCloudTasks(clock, issuer.token))
        tasks.create_queue(_queue(project, environment["AJO_REGION"], environment["AJO_TASKS_QUEUE"]))
        local_secrets = LocalSecretManager(options.secrets)
        stack.enter_context(
            rpc.serving([tasks.service(), local_secrets.service()], _port(environment["AJO_TASKS_HOST"]))
        )
        proxy = stack.enter_context(contextlib.closing(PubSubProxy(options.pubsub_emulator, work)))
        pubsub = stack.enter_context(rpc.serving([proxy], _port(environment["PUBSUB_EMULATOR_HOST"])))

        jobs = read_jobs(options.schedule)
        push_key = secrets.token_urlsafe()
        topics = {**EVENT_TOPICS, **{job.topic: [job.topic] for job in jobs}}
        _subscribe(pubsub, project, topics, functions, f"http://127.0.0.1:{options.port}/_push", push_key)

        scheduler = Scheduler(jobs, clock, PubSubPublisher(project, pubsub).publish)
        stripe_base = environment.get("AJO_STRIPE_API_BASE")
        ticks = not options.no_ticks
        control = Control(clock, work, tasks, scheduler, ticks=ticks, stripe_base=stripe_base)
        mails = MailSink()
        stack.enter_context(mail.serving(mails, _port(environment["AJO_SMTP_HOST"])))
        local = control_app(control, clock, issuer, mails)
        firebase = json.loads(options.firebase_json.read_text())
        audience, invoker = environment["AJO_OIDC_AUDIENCE"], environment["AJO_INVOKER_EMAIL"]
        gateway = Gateway(
            functions=functions,
            hosting=firebase["hosting"],
            public=options.firebase_json.parent / firebase["hosting"]["public"],
            local=local,
            work=work,
            sign=lambda: issuer.token(audience, invoker),
            push_key=push_key,
        )
        stack.enter_context(_serving(gateway, options.port, GATEWAY_THREADS))
        stack.enter_context(_serving(local, options.control_port, CONTROL_THREADS))
        if ticks:
            threading.Thread(target=scheduler.run, args=[stop], name="schedule", daemon=True).start()
        yield


@contextlib.contextmanager
def _serving(app: WSGIApplication, port: int, threads: int) -> Iterator[None]:
    """Serve an application with that many threads while the block runs."""
    server = create_server(
        app,
        host="127.0.0.1",
        port=port,
        threads=threads,
        connection_limit=CONNECTIONS_MAX,
        max_request_body_size=REQUEST_BYTES_MAX,
        ident=None,
    )
    thread = threading.Thread(target=server.run, name=f"http-{port}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.close()


def _queue(project: str, region: str, name: str) -> tasks_types.CreateQueueRequest:
    location = f"projects/{project}/locations/{region}"
    queue = tasks_types.Queue(name=f"{location}/queues/{name}")
    return tasks_types.CreateQueueRequest(parent=location, queue=queue)


def _subscribe(
    pubsub: str, project: str, topics: dict[str, list[str]], functions: Functions, push: str, key: str
) -> None:
    """Make the topics, and a push subscription for each function that is there, as terraform does."""
    with grpc.insecure_channel(pubsub) as channel:
        publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
        subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
        dead_letters = f"projects/{project}/topics/{DEAD_LETTERS}"
        for topic in [DEAD_LETTERS, *topics]:
            publisher.create_topic(name=f"projects/{project}/topics/{topic}", timeout=60)
        for topic, function in [(topic, name) for topic, names in topics.items() for name in names]:
            if function not in functions:
                continue
            subscriber.create_subscription(
                request=Subscription(
                    name=f"projects/{project}/subscriptions/{topic}-{function}",
                    topic=f"projects/{project}/topics/{topic}",
                    ack_deadline_seconds=ACK_DEADLINE_SECONDS,
                    push_config=PushConfig(push_endpoint=f"{push}/{function}?key={key}"),
                    dead_letter_policy=DeadLetterPolicy(
                        dead_letter_topic=dead_letters, max_delivery_attempts=PUSH_ATTEMPTS_MAX
                    ),
                )
            )


def _port(host: str) -> int:
    return int(host.rpartition(":")[2])


if __name__ == "__main__":
    main()
