"""Read the exam and check plans against it; the pixel checks are left to others.

An item of `held_out.toml` or `tuned.toml` has
- `logo`: a sample by name; `prompt`; optional `logo_description`, `theme_description`, `preserve`;
- `edits`: each "op target field…", in any order. `a|b` stands for either. Spaces within a name are
  written as "-". Fields: `to=navy`, `to2=`, `mode=`, `count=`, `degrees=`, `step=`, `colours=a,b`,
  and `amount=0.3`, `amount<0.4`, `amount>0`;
- `keeps`: each "keep target", which the constraints must hold exactly;
- `declined`: the reasons, as a set;
- `pixels`: what must be seen in the image: "layer change", where the layer is one of the sample's
  or `background`, and the change `lighter`, `darker`, `warmer`, `cooler`, `more-colour`,
  `less-colour`, `bigger`, `smaller`, `gone`, `same`, `transparent` or `is:#rrggbb`.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.engines.contract import Instruction
from service.engines.embedded.plan import Edit, Plan

_FIELD = re.compile(r"(?P<name>[a-z]+2?)(?P<sign>[=<>])(?P<value>.+)")
_CLOSE = 0.011


@dataclass(frozen=True, slots=True)
class Item:
    """One instruction and what is expected of it."""

    logo: str
    instruction: Instruction
    edits: tuple[str, ...]
    keeps: tuple[str, ...]
    declined: frozenset[str]
    pixels: tuple[str, ...]


def exam(name: str) -> list[Item]:
    """The items of `held_out`, `tuned` or `phrasings`."""
    path = Path(__file__).with_name(f"{name}.toml")
    return [_item(row) for row in tomllib.loads(path.read_text("utf-8"))["items"]]


def _item(row: dict[str, Any]) -> Item:
    return Item(
        row["logo"],
        Instruction(
            row["prompt"],
            row.get("logo_description"),
            row.get("theme_description"),
            tuple(row.get("preserve", ())),
        ),
        tuple(row.get("edits", ())),
        tuple(row.get("keeps", ())),
        frozenset(row.get("declined", ())),
        tuple(row.get("pixels", ())),
    )


def faults(item: Item, plan: Plan) -> list[str]:
    """What is wrong with a plan, a line each; empty when it is wholly right."""
    found: list[str] = []
    left = list(plan.edits)
    for expected in item.edits:
        match = next((edit for edit in left if _is(edit, expected)), None)
        if match is None:
            found.append(f"missing: {expected}")
        else:
            left.remove(match)
    found += [f"not asked for: {_written(edit)}" for edit in left]
    kept = {(str(c.keep), _dashed(str(c.target))) for c in plan.constraints}
    for expected in item.keeps:
        keep, target = (part.split("|") for part in expected.split())
        held = {pair for pair in kept if pair[0] in keep and pair[1] in target}
        if not held:
            found.append(f"not kept: {expected}")
        kept -= held
    found += [f"kept without need: {' '.join(pair)}" for pair in sorted(kept)]
    reasons = {declined.reason for declined in plan.declined}
    if reasons != item.declined:
        found.append(f"declined: {sorted(reasons)}, not {sorted(item.declined)}")
    return found


def _is(edit: Edit, expected: str) -> bool:
    op, target, *fields = expected.split()
    named = edit.op in op.split("|") and _dashed(str(edit.target)) in target.split("|")
    return named and all(_holds(edit, field) for field in fields)


def _holds(edit: Edit, field: str) -> bool:
    found = _FIELD.fullmatch(field)
    assert found is not None, field
    name, sign, value = found["name"], found["sign"], found["value"]
    match name:
        case "to" | "to2":
            colour = edit.to if name == "to" else edit.to2
            return colour is not None and _dashed(colour.name) in value.split("|")
        case "colours":
            return {_dashed(c.name) for c in edit.colours} == set(value.split(","))
        case "mode":
            return edit.mode in value.split("|")
        case _:
            actual = getattr(edit, name)
            return actual is not None and _compares(float(actual), sign, float(value))


def _compares(actual: float, sign: str, wanted: float) -> bool:
    match sign:
        case "<":
            return actual < wanted
        case ">":
            return actual > wanted
        case _:
            return abs(actual - wanted) <= _CLOSE


def _dashed(name: str) -> str:
    return name.replace(" ", "-")


def _written(edit: Edit) -> str:
    to = f" to={_dashed(edit.to.name)}" if edit.to else ""
    colours = f" colours={','.join(c.name for c in edit.colours)}" if edit.colours else ""
    rest = f" mode={edit.mode}" if edit.mode else ""
    return f"{edit.op} {_dashed(str(edit.target))} amount={edit.amount}{to}{colours}{rest}"
