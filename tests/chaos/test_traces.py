"""A trace goes through Pub/Sub into the process that works."""

from __future__ import annotations

from tests.api.test_traces import PARTS
from tests.chaos.deployment import Deployment
from tests.collector import about, running_collector


async def test_a_refinement_is_one_trace_over_two_processes(on_pubsub: Deployment) -> None:
    async with running_collector() as (collector, variables):
        await on_pubsub.start("worker", **variables, OTEL_SERVICE_NAME="refiner-worker")
        api = await on_pubsub.start("api", **variables)
        await on_pubsub.add_users(1)
        await on_pubsub.accepted(api, on_pubsub.users[0])
        topic = on_pubsub.settings["QUEUE_URL"].split("/")[3]
        asked, published = "POST /api/concepts/refine", f"publish {topic}"
        processed = f"process {topic}"
        spans = await collector.trace_with(asked, published, processed, *PARTS)
        assert spans[processed].parent_span_id == spans[published].span_id
        assert about(spans[processed])["messaging.system"] == "gcp_pubsub"
        assert collector.services == {"concept-refiner", "refiner-worker"}
