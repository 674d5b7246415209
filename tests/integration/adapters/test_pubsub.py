"""`PubSubPublisher` on Google's emulator."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from infra.local.process import free_port
from shared.adapters import pubsub
from shared.adapters.lazily import plain_channel
from shared.adapters.pubsub import PubSubPublisher
from shared.ports import PublishFailed


def test_a_message_arrives_as_json(pubsub_host: str) -> None:
    project = f"demo-{uuid4().hex[:8]}"
    topic, subscription = f"projects/{project}/topics/facts", f"projects/{project}/subscriptions/facts"
    PublisherClient(transport=PublisherGrpcTransport(channel=plain_channel(pubsub_host))).create_topic(
        name=topic
    )
    subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=plain_channel(pubsub_host)))
    subscriber.create_subscription(name=subscription, topic=topic)

    publisher = PubSubPublisher(project, pubsub_host)
    publisher.publish("facts", {"fact": "txn_1", "name": "Adé"})
    publisher.publish("facts", {"fact": "txn_2"})

    pulled = subscriber.pull(subscription=subscription, max_messages=10).received_messages
    told = [json.loads(received.message.data) for received in pulled]
    assert sorted(told, key=lambda message: str(message["fact"])) == [
        {"fact": "txn_1", "name": "Adé"},
        {"fact": "txn_2"},
    ]


def test_a_topic_that_is_not_there_is_told(pubsub_host: str) -> None:
    with pytest.raises(PublishFailed, match="nowhere: NotFound"):
        PubSubPublisher("demo-ajo", pubsub_host).publish("nowhere", {})


def test_a_silent_server_is_told_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pubsub, "ALL_SECONDS_MAX", 0.5)
    pubsub._retry.cache_clear()
    with pytest.raises(PublishFailed):
        PubSubPublisher("demo-ajo", f"127.0.0.1:{free_port()}").publish("facts", {})
    pubsub._retry.cache_clear()
