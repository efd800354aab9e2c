"""Carry messages over Google Pub/Sub, between any number of processes."""

from queueing.pubsub.queue import Patience, PubSubQueue

__all__ = ["Patience", "PubSubQueue"]
