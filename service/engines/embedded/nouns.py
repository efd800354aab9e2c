"""Place a person's word for something drawn, where shape or usual colour leaves no doubt."""

from __future__ import annotations

import numpy as np

from service.engines.embedded.canvas import Canvas
from service.engines.embedded.families import families_of
from service.engines.embedded.scene.core import Flags, Indices
from service.engines.embedded.silhouettes import outline_names

_DISC = "circle disc disk ball orb globe"
_RING = "ring hoop halo"
_BAR = "bar stripe band rectangle underline plank plate saucer"
_SQUARE = "square box block"
_LINE = "line swoosh swash stroke wave steam smoke string vein"
_DOT = "dot speck spot"
_OUTLINES = {
    "disc": "disc", "disk": "disc", "circle": "disc", "ball": "disc", "orb": "disc",
    "globe": "disc", "sphere": "disc", "ring": "ring", "hoop": "ring", "halo": "ring",
    "triangle": "triangle", "arrowhead": "triangle", "pyramid": "triangle",
    "diamond": "diamond", "rhombus": "diamond", "pentagon": "pentagon", "hexagon": "hexagon",
    "hexagonal": "hexagon", "octagon": "octagon", "star": "star", "square": "square",
    "rectangle": "bar", "bar": "bar",
}  # fmt: skip
_FRAMES = frozenset(
    {
        "shield",
        "badge",
        "emblem",
        "crest",
        "seal",
        "plate",
        "patch",
        "panel",
        "medallion",
        "roundel",
    }
)
_SHAPES: dict[str, str] = {
    word: shape
    for shape, words in (
        ("disc", _DISC),
        ("ring", _RING),
        ("bar", _BAR),
        ("square", _SQUARE),
        ("line", _LINE),
        ("dot", _DOT),
    )
    for word in words.split()
}
# What is nearly always painted in one of these, and hardly anything beside it.
_USUAL: dict[str, tuple[frozenset[str], str | None]] = {
    word: (frozenset(families.split()), shape)
    for words, families, shape in (
        ("sun", "yellow orange gold red", "disc"),
        ("moon crescent", "yellow gold cream white grey beige", None),
        ("star", "yellow gold cream white", "small"),
        ("leaf leave foliage tree pine fir plant grass forest stem", "green teal", None),
        ("wave water sea ocean river lake", "blue cyan teal navy", None),
        ("sky", "blue cyan", None),
        ("flame fire", "red orange yellow", None),
        ("snow cloud", "white grey", None),
        ("heart rose", "red pink magenta", None),
        ("flower petal blossom", "pink red magenta purple yellow", None),
    )
    for word in words.split()
}
_MIDDLES = frozenset({"centre", "center", "middle", "core"})
_SINGLE = frozenset({"sun", "moon", "crescent", "sky"})
_OF_ONE_COLOUR = frozenset({"flower", "petal", "blossom", "heart", "rose"})
_ROUND = 0.12  # how far width and height may differ
_MOST = 0.9  # of the icon: a word for nearly all of it says nothing
_LEAST = 0.00004  # of the image
_LEAST_OUTLINED_PX = 64.0
_SMALL = 0.02
_FRAMED = 0.5  # of the shapes


def is_middle(noun: str) -> bool:
    """Whether a word says where in a thing something is, and never means the whole of it."""
    return noun.lower().split()[-1] in _MIDDLES


def place_noun(canvas: Canvas, noun: str, among: Flags) -> Flags:
    """The surfaces that the noun means among some; all false where there is doubt."""
    scene = canvas.scene
    nothing = np.zeros(len(among), np.bool_)
    words = [_singular(word) for word in noun.lower().split()]
    groups = np.unique(scene.groups.of[among])
    groups = groups[scene.groups.area[groups] >= _LEAST * scene.height * scene.width]
    known = [word for word in words if word in _SHAPES or word in _USUAL or word in _OUTLINES]
    if words and words[-1] in _FRAMES:
        return _frame(canvas, groups, among)
    if words and words[-1] in _MIDDLES:
        return _enclosed(canvas, groups, among)
    if not known or not groups.size:
        return nothing
    outlined = [g for g in groups.tolist() if _OUTLINES.get(known[-1]) in _outlines(canvas, int(g))]
    if outlined:
        return np.asarray(among & np.isin(scene.groups.of, outlined))
    found = [group for group in groups.tolist() if _fits(canvas, int(group), known[-1])]
    if not found:
        return nothing
    if known[-1] in _OF_ONE_COLOUR:
        found = _like_the_largest(canvas, found)
    if known[-1] in _SINGLE:
        found = [max(found, key=lambda group: (float(scene.groups.area[group]), -group))]
    chosen = among & np.isin(scene.groups.of, found)
    whole = float(scene.regions.area[among].sum())
    if len(groups) > len(found) and scene.regions.area[chosen].sum() > _MOST * whole:
        return nothing
    return np.asarray(chosen)


def _outlines(canvas: Canvas, group: int) -> frozenset[str]:
    """What the outline of a group is called."""
    scene = canvas.scene
    if scene.groups.area[group] < _LEAST_OUTLINED_PX:
        return frozenset()
    left, top, right, bottom = (int(v) for v in scene.groups.boxes[group])
    return outline_names(scene.groups.of[scene.labels[top:bottom, left:right]] == group)


def _like_the_largest(canvas: Canvas, found: list[int]) -> list[int]:
    """Those of some groups that share a family of colour with the largest: not a flower's eye."""
    families = families_of(canvas.scene.groups.lab[found])
    main = families[int(np.argmax(canvas.scene.groups.area[found]))]
    return [group for group, own in zip(found, families, strict=True) if own & main]


def _enclosed(canvas: Canvas, groups: Indices, among: Flags) -> Flags:
    """The one group that lies within a single other one; nothing where several do."""
    scene = canvas.scene
    pairs = scene.groups.of[scene.groups.touching]
    within = []
    for group in groups.tolist():
        beside = np.unique(pairs[(pairs == group).any(axis=1)])
        other = beside[beside != group]
        if other.size == 1 and not scene.background[scene.groups.of == other[0]].any():
            within.append(group)
    return np.asarray(among & np.isin(scene.groups.of, within) & (len(within) == 1))


def _frame(canvas: Canvas, groups: Indices, among: Flags) -> Flags:
    """The one shape that most of the artwork lies on; nothing where there is none."""
    boxes = canvas.scene.groups.boxes
    if not groups.size:
        return np.zeros(len(among), np.bool_)
    own = int(groups[np.argmax(canvas.scene.groups.area[groups])])
    artwork = np.unique(canvas.scene.groups.of[~canvas.scene.background])
    within = (boxes[artwork, :2] >= boxes[own, :2]) & (boxes[artwork, 2:] <= boxes[own, 2:])
    framed = within.all(axis=1).mean() > _FRAMED and len(artwork) > 1
    return np.asarray(among & (canvas.scene.groups.of == own) & framed)


def _singular(word: str) -> str:
    if word.endswith("ves") and word[:-3] + "f" in _USUAL:
        return word[:-3] + "f"
    return word.removesuffix("s") if len(word) > 3 else word


def _fits(canvas: Canvas, group: int, word: str) -> bool:
    if word in _USUAL:
        families, shape = _USUAL[word]
        own = families_of(canvas.scene.groups.lab[group : group + 1])[0]
        return bool(own & families) and (shape is None or _is_shape(canvas, group, shape))
    return _is_shape(canvas, group, _SHAPES[word])


def _is_shape(canvas: Canvas, group: int, shape: str) -> bool:
    groups = canvas.scene.groups
    left, top, right, bottom = (float(v) for v in groups.boxes[group])
    width, height = max(right - left, 1.0), max(bottom - top, 1.0)
    area, radius = float(groups.area[group]), float(groups.thickness[group])
    fill = area / (width * height)
    long, short = max(width, height), min(width, height)
    equal = short >= (1 - _ROUND) * long
    size = canvas.scene.height * canvas.scene.width
    match shape:
        case "disc":
            return equal and radius >= 0.4 * short and fill <= 0.9
        case "ring":
            return equal and radius < 0.3 * short and area <= 1.3 * np.pi * long * 2 * radius
        case "square":
            return equal and fill > 0.9
        case "bar":
            return fill > 0.8 and long >= 2 * short
        case "line":
            return radius * 2 <= 0.16 * long and fill < 0.8
        case "small":
            return area <= _SMALL * size
        case _:
            return equal and radius >= 0.35 * short and area <= _SMALL / 4 * size
