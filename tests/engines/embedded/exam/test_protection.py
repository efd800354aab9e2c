"""What a person wants kept is kept to the byte, and the rest of what they ask is done."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from service.engines.contract import Instruction
from service.engines.embedded.apply import apply
from tests.engines.embedded.exam.drawings import subject
from tests.engines.embedded.exam.marking import picture_of
from tests.engines.embedded.exam.sight import GROUND
from tests.engines.embedded.pixels import ground_mask, solid
from tests.samples.layers import Logo

ROWS = tomllib.loads(Path(__file__).with_name("protected.toml").read_text("utf-8"))["rows"]
PURE = 0.9999
MOVED_LEVELS = 1.0


def _shown(logo: Logo, layer: str) -> NDArray[np.bool_]:
    """The pixels that show nothing but a layer, or the ground."""
    return np.asarray(ground_mask(logo) > PURE) if layer == GROUND else solid(logo, layer)


@pytest.mark.parametrize(("name", "prompt", "kept", "changed"), ROWS, ids=lambda x: x)
def test_what_is_to_stay_stays_to_the_byte(name: str, prompt: str, kept: str, changed: str) -> None:
    drawn = subject(name)
    assert drawn.logo is not None
    outcome = apply(drawn.file, Instruction(prompt))
    after = picture_of(outcome)
    assert after is not None, outcome.report["not_applied"]
    assert outcome.report["outcome"] == "complete"
    for layer in kept.split(","):
        where = _shown(drawn.logo, layer)
        assert (after[where] == drawn.pixels[where]).all(), layer
    for layer in changed.split(","):
        where = _shown(drawn.logo, layer)
        moved = np.abs(after[where].astype(np.int16) - drawn.pixels[where]).mean()
        assert moved > MOVED_LEVELS, layer
