"""The lexicon is data that holds together."""

from __future__ import annotations

import tomllib
from importlib.resources import files

import pytest

from service.engines.embedded.language.lexicon import lexicon
from service.engines.embedded.language.lexicon.forms import comparative, plural, verb_forms
from service.engines.embedded.plan import Op

_FOLDER = files("service.engines.embedded.language.lexicon")


def test_it_has_at_least_600_phrases_before_inflection() -> None:
    count = 0
    for path in _FOLDER.iterdir():
        if path.name.endswith(".toml"):
            for table in tomllib.loads(path.read_text("utf-8")).values():
                if isinstance(table, dict):
                    count += sum(len(v) for v in table.values() if isinstance(v, list))
    assert count >= 600


def test_every_scale_leads_to_an_op_or_to_another_scale() -> None:
    for scale in lexicon().scales.values():
        for name in (scale.more, scale.less):
            assert name is None or name.removeprefix("-") in Op
        assert all(other.removeprefix("-") in lexicon().scales for other in scale.on.values())


def test_vague_words_and_troubles_lead_to_scales() -> None:
    scales = lexicon().scales
    assert all(key in scales for vague in lexicon().vague.values() for key, _ in vague.edits)
    senses = {p.sense for phrases in lexicon().by_first.values() for p in phrases}
    assert all(sense.key in scales for sense in senses if sense.tag == "trouble")


@pytest.mark.parametrize(
    ("word", "forms"),
    [
        ("trim", ["trim", "trims", "trimmed", "trimming"]),
        ("lower", ["lower", "lowers", "lowered", "lowering"]),
        ("simplify", ["simplify", "simplifies", "simplified", "simplifying"]),
        ("erase", ["erase", "erases", "erased", "erasing"]),
        ("is", ["is"]),
    ],
)
def test_verbs_are_inflected_by_rule(word: str, forms: list[str]) -> None:
    assert list(verb_forms(word)) == forms


def test_comparatives_and_plurals_follow_english() -> None:
    assert [comparative(w) for w in ("pale", "big", "heavy", "clean")] == [
        "paler",
        "bigger",
        "heavier",
        "cleaner",
    ]
    assert [plural(w) for w in ("brown", "box", "berry", "day")] == [
        "browns",
        "boxes",
        "berries",
        "days",
    ]
