"""Carry messages over Google Pub/Sub, between any number of processes."""

from queueing.pubsub.queue import PubSubQueue

__all__ = ["PubSubQueue"]
