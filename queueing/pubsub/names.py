"""What the pieces of one Pub/Sub queue are called, and how messages are written on its wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gcloud.aio.pubsub import PubsubMessage

from queueing.contract import Message

# Pub/Sub refuses a message with neither body nor attributes, so such a one carries this name.
EMPTY = "queueing-empty"


@dataclass(frozen=True, slots=True)
class Names:
    """The full resource names of a queue: its topic, its subscription, and both for dead letters.

    The dead letters' topic has a subscription of its own, or Pub/Sub would drop what it gets.
    """

    project: str
    topic_id: str
    subscription_id: str

    @property
    def topic(self) -> str:
        return f"projects/{self.project}/topics/{self.topic_id}"

    @property
    def subscription(self) -> str:
        return f"projects/{self.project}/subscriptions/{self.subscription_id}"

    @property
    def dead_topic(self) -> str:
        return f"projects/{self.project}/topics/{self.subscription_id}-dead"

    @property
    def dead_subscription(self) -> str:
        return f"projects/{self.project}/subscriptions/{self.subscription_id}-dead"


def to_wire(message: Message) -> PubsubMessage:
    """A message as the library sends it."""
    sent = PubsubMessage(message.body)
    # Not by keyword: an attribute may bear the name of one of the constructor's own parameters.
    sent.attributes = dict(message.attributes)
    if not message.body and not message.attributes:
        sent.attributes = {EMPTY: ""}
    return sent


def from_wire(
    body: bytes | None, attributes: Mapping[str, str] | None, delivery: int | None
) -> Message:
    """A message as it was published. Pub/Sub leaves out what is empty or not counted."""
    kept = {name: value for name, value in (attributes or {}).items() if name != EMPTY}
    return Message(body or b"", kept, delivery or 1)
