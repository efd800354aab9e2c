"""The person hears how the provider's work goes: its place in the queue, then how far it is."""

from __future__ import annotations

from service.engines.contract import Refined
from tests.engines.hosted.harness import Bench, Tried, outcome_of

DRAWING = "The image model is drawing"


async def test_a_place_in_the_queue_is_told_and_gets_nearer(bench: Bench) -> None:
    tried = Tried()
    assert isinstance(await outcome_of(bench.engines("fal"), "slow", tried.attempt()), Refined)
    stages = list(dict.fromkeys(stage for _, stage in tried.told))
    assert stages == [
        "Preparing the image",
        "Waiting for the image model",
        "Waiting for the image model, 2 ahead",
        "Waiting for the image model, 1 ahead",
        DRAWING,
        "Checking the result",
    ]


async def test_how_far_the_provider_is_moves_the_bar(bench: Bench) -> None:
    tried = Tried()
    assert isinstance(await outcome_of(bench.engines("bfl"), "slow", tried.attempt()), Refined)
    drawn = [fraction for fraction, stage in tried.told if stage == DRAWING]
    assert drawn == sorted(drawn)
    assert len(set(drawn)) == 4
    assert 0 < drawn[0] < drawn[-1] < 0.92
