"""Put a person's wish into the words that a model understands best, from a template of data."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from service.engines.contract import Instruction


@dataclass(frozen=True, slots=True)
class Template:
    """Sentences with `{places}`; those whose place has nothing to stand in it are left out."""

    sentences: tuple[str, ...]
    aspects: Mapping[str, str]
    joint: str


def template_for(engine: str) -> Template:
    """The template `templates/{engine}.toml`."""
    folder = files("service.engines.painting").joinpath("templates")
    aspects = tomllib.loads(folder.joinpath("aspects.toml").read_text("utf-8"))
    words = tomllib.loads(folder.joinpath(f"{engine}.toml").read_text("utf-8"))
    return Template(tuple(words["sentences"]), aspects, words["joint"])


def compose(template: Template, instruction: Instruction, backdrop: str | None) -> str:
    """The text to send. `backdrop` is the `#rrggbb` that stands in for transparency."""
    kept = [template.aspects[aspect] for aspect in dict.fromkeys(instruction.preserve_aspects)]
    places = {
        "prompt": instruction.prompt,
        "logo": instruction.logo_description,
        "theme": instruction.theme_description,
        "kept": template.joint.join(kept),
        "backdrop": backdrop,
    }
    present = {place: text for place, text in places.items() if text}
    # The person's words are filled in and never read as a template themselves.
    return "\n".join(
        sentence.format(**present)
        for sentence in template.sentences
        if all("{" + place + "}" not in sentence for place in places.keys() - present.keys())
    )
