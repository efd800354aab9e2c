"""Edits, one at a time, against the layers that a logo was drawn from."""

from __future__ import annotations

import numpy as np
import pytest

from service.engines.embedded.apply import perform
from service.engines.embedded.colour import contrast
from service.engines.embedded.ops import OPS
from service.engines.embedded.plan import Constraint, Edit, Keep, Op, Part, Plan, Target
from tests.engines.embedded.pixels import (
    as_jpeg,
    changed,
    colour,
    edited,
    ground_mask,
    logo,
    mean_lab,
    picture_of,
    plan,
    solid,
)
from tests.samples.trials import photograph

BROWN = colour("brown", "#7b4a2b")
NAVY = colour("navy", "#1b2a52")
WHITE = colour("white", "#ffffff")
BLACK = colour("black", "#000000")


def refusal(outcome_of: Plan, name: str = "coffee") -> tuple[str, str]:
    """Why a plan of one edit was not carried out."""
    outcome = perform(logo(name).render(), outcome_of)
    assert outcome.image is None
    (part,) = outcome.report["not_applied"]
    return part["reason"], part["message"]


def test_every_op_of_the_plan_can_be_carried_out() -> None:
    assert set(OPS) == set(Op)


def test_a_family_is_lightened_and_its_shades_stay_in_order() -> None:
    drawn = logo("coffee")
    after = edited(drawn, plan(Op.LIGHTEN, Target(colour=BROWN), amount=0.4))
    names = ("name", "shade", "handle", "saucer")
    light = [mean_lab(after, solid(drawn, name))[0] for name in names]
    assert light == sorted(light)
    for name in names:
        where = solid(drawn, name)
        assert mean_lab(after, where)[0] > mean_lab(drawn.render(), where)[0] + 0.05
    assert changed(drawn.render(), after, solid(drawn, "bean")) == 0
    assert changed(drawn.render(), after, ground_mask(drawn) > 0.999) == 0


def test_lettering_gets_exactly_the_colour_that_was_asked_for() -> None:
    drawn = logo("mountain")
    after = edited(drawn, plan(Op.RECOLOUR, Part.TEXT, to=NAVY))
    for name in ("name", "tagline"):
        assert (np.abs(after[solid(drawn, name)][:, :3].astype(int) - NAVY.rgb) <= 1).all()
    assert changed(drawn.render(), after, solid(drawn, "sun", "front", "sky")) == 0


def test_two_colours_are_exchanged() -> None:
    drawn = logo("badge")
    todo = plan(
        Op.RECOLOUR,
        Target(colour=colour("orange", "#f28c28")),
        to=colour("navy", "#1b2a52"),
        mode="exchange",
    )
    after = edited(drawn, todo)
    assert np.abs(mean_lab(after, solid(drawn, "star"))[0] - 0.25) < 0.1
    assert mean_lab(after, solid(drawn, "shield"))[0] > 0.6


def test_simplify_drops_specks_and_shading_but_no_letter() -> None:
    drawn = logo("coffee")
    after = edited(drawn, plan(Op.SIMPLIFY, Part.IMAGE))
    ground = drawn.render()[0, 0]
    assert (after[solid(drawn, "specks")] == ground).all()
    assert np.ptp(after[solid(drawn, "cup")][:, :3].astype(int), axis=0).max() <= 6
    text = drawn.visible("name", "tagline")
    dark = contrast(after[..., :3], ground[:3]) > 1.5
    assert dark[text > 0.9].mean() > 0.98


def test_simplify_leaves_the_colours_alone_when_asked_to() -> None:
    drawn = logo("coffee")
    keep = Constraint(Keep.COLOUR, Target(Part.IMAGE))
    after = edited(drawn, plan(Op.SIMPLIFY, Part.IMAGE, keep))
    assert changed(drawn.render(), after, solid(drawn, "cup", "name", "saucer")) == 0
    assert (after[solid(drawn, "specks")] == drawn.render()[0, 0]).all()


@pytest.mark.parametrize("op", [Op.ONE_COLOUR, Op.BLACK_AND_WHITE])
def test_one_ink_keeps_the_shapes_within_shapes(op: Op) -> None:
    drawn = logo("coffee")
    after = edited(drawn, plan(op, Part.IMAGE))
    cup, bean = mean_lab(after, solid(drawn, "cup")), mean_lab(after, solid(drawn, "bean"))
    assert abs(float(cup[0] - bean[0])) > 0.3


@pytest.mark.parametrize(("op", "grows"), [(Op.BOLDER, True), (Op.THINNER, False)])
@pytest.mark.parametrize("name", ["coffee", "hairlines", "lunar"])
def test_strokes_change_weight_and_letters_stay_apart(name: str, op: Op, grows: bool) -> None:
    drawn = logo(name)
    source = drawn.render()
    after = edited(drawn, plan(op, Part.TEXT, amount=0.4))
    ground = source[0, 0].astype(int)
    text = solid(drawn, "icon") == solid(drawn, "nothing")  # everywhere but the icon
    ink = [
        np.abs(picture.astype(int) - ground).sum(axis=2)[text].sum() for picture in (source, after)
    ]
    assert (ink[1] > 1.08 * ink[0]) if grows else (ink[1] < 0.95 * ink[0])
    assert changed(source, after, solid(drawn, "icon")) == 0


def test_an_outline_hollows_the_big_shapes_and_leaves_small_lettering() -> None:
    drawn = logo("coffee")
    after = edited(drawn, plan(Op.OUTLINE_ONLY, Part.IMAGE))
    cup = solid(drawn, "cup")
    assert (after[cup] == drawn.render()[0, 0]).all(axis=1).mean() > 0.5
    assert changed(drawn.render(), after, solid(drawn, "tagline")) == 0


def test_a_white_outline_lies_under_the_artwork() -> None:
    drawn = logo("leaf")
    source = drawn.render()
    after = edited(drawn, plan(Op.ADD_OUTLINE, Part.ARTWORK, to=WHITE))
    assert changed(source, after, solid(drawn, "big", "small", "name")) < 0.01
    rim = (ground_mask(drawn) > 0.999) & (after[..., 3] == 255)
    assert rim.mean() > 0.01
    assert (after[rim][:, :3] == 255).all()


def test_the_icon_alone_is_enlarged_as_far_as_there_is_room() -> None:
    drawn = logo("tech")
    after = edited(drawn, plan(Op.SCALE, Part.ICON, amount=1.2))
    assert changed(drawn.render(), after, solid(drawn, "name", "tagline")) < 0.01
    inked = (after[: drawn.shape[0] // 2] != after[0, 0]).any(axis=2).sum()
    before = (drawn.render()[: drawn.shape[0] // 2] != drawn.render()[0, 0]).any(axis=2).sum()
    assert 1.15 < inked / before < 1.6


def test_quarter_turns_are_exact() -> None:
    source = logo("coffee").render()
    turned = edited(logo("coffee"), plan(Op.ROTATE, Part.IMAGE, degrees=90.0))
    assert (turned == np.rot90(source, -1)).all()


def test_padding_leaves_every_pixel_as_it_was() -> None:
    source = logo("coffee").render()
    after = edited(logo("coffee"), plan(Op.PAD, Part.IMAGE, amount=0.1))
    margin = (after.shape[0] - source.shape[0]) // 2
    assert margin == round(0.1 * source.shape[0])
    assert (after[margin:-margin, margin:-margin] == source).all()
    assert (after[0] == source[0, 0]).all()


def test_text_that_a_new_ground_would_swallow_is_made_to_show() -> None:
    drawn = logo("mountain")
    after = edited(drawn, plan(Op.BACKGROUND, Part.BACKGROUND, to=BLACK))
    name = np.rint(after[solid(drawn, "name")][:, :3].mean(axis=0))
    assert float(contrast(name, np.zeros(3))) > 3
    assert changed(drawn.render(), after, solid(drawn, "sun", "pines", "front")) < 0.01


@pytest.mark.parametrize(
    ("todo", "reason"),
    [
        (plan(Op.RECOLOUR, Target(colour=colour("purple", "#7b3fa0")), to=NAVY), "not_in_image"),
        (plan(Op.REMOVE, Target(noun="dragon")), "not_in_image"),
        (plan(Op.SQUARE, Part.IMAGE), "limit"),
        (
            plan(Op.DARKEN, Part.TEXT, Constraint(Keep.COLOUR, Target(Part.IMAGE)), amount=0.4),
            "conflict",
        ),
        (
            plan(Op.SCALE, Part.ICON, Constraint(Keep.PLACE, Target(Part.IMAGE)), amount=2.0),
            "conflict",
        ),
    ],
)
def test_what_cannot_be_done_says_why(todo: Plan, reason: str) -> None:
    given, message = refusal(todo)
    assert given == reason
    assert message.endswith(".")


def test_what_is_to_be_kept_does_not_move() -> None:
    drawn = logo("coffee")
    keep = Constraint(Keep.EVERYTHING, Target(Part.TEXT))
    after = edited(drawn, plan(Op.LIGHTEN, Target(colour=BROWN), keep, amount=0.6))
    assert changed(drawn.render(), after, solid(drawn, "name", "tagline")) == 0
    assert changed(drawn.render(), after, solid(drawn, "cup")) > 0.99


def test_an_unknown_thing_to_keep_protects_the_whole_icon() -> None:
    drawn = logo("coffee")
    keep = Constraint(Keep.EVERYTHING, Target(noun="dragon"))
    after = edited(drawn, plan(Op.LIGHTEN, Target(colour=BROWN), keep, amount=0.4))
    assert changed(drawn.render(), after, solid(drawn, "cup", "saucer", "steam")) == 0


def test_on_a_photograph_tones_work_and_shapes_are_declined() -> None:
    source = photograph()
    grey = picture_of(perform(source, plan(Op.MONOCHROME, Part.IMAGE)))
    assert np.ptp(grey[..., :3].astype(int), axis=2).max() <= 1
    declined = perform(source, plan(Op.BACKGROUND, Part.BACKGROUND))
    assert declined.image is None
    assert declined.report["not_applied"][0]["reason"] == "needs_generative"


def test_what_was_not_asked_for_keeps_even_its_jpeg_noise() -> None:
    drawn = logo("coffee")
    source = as_jpeg(drawn.render(), 80)
    after = picture_of(perform(source, plan(Op.RECOLOUR, Part.TAGLINE, to=NAVY)))
    assert (after[: drawn.shape[0] // 2] == source[: drawn.shape[0] // 2]).all()


def test_edits_are_made_from_the_ground_up_whatever_their_order() -> None:
    edits = (
        Edit(Op.SHADOW, Target(Part.ARTWORK), "a shadow"),
        Edit(Op.BACKGROUND, Target(Part.BACKGROUND), "on white", to=WHITE),
    )
    report = perform(logo("coffee").render(), Plan(edits)).report
    assert [edit["op"] for edit in report["applied"]] == ["background", "shadow"]


def test_a_vector_file_has_the_logo_s_own_colours() -> None:
    outcome = perform(logo("mountain").render(), plan(Op.VECTORIZE, Part.IMAGE))
    assert outcome.content_type == "image/svg+xml"
    assert outcome.image is not None
    assert outcome.image.startswith(b"<svg")
    for code in (b"#f0913a", b"#2f6b4b", b"#163a29"):
        assert code in outcome.image


def test_a_ground_that_is_a_gradient_from_edge_to_edge_is_left_alone() -> None:
    declined = perform(logo("full_bleed").render(), plan(Op.BACKGROUND, Part.BACKGROUND))
    assert declined.image is None
    assert declined.report["not_applied"][0]["reason"] == "needs_generative"
