"""The plain form between language and pixels: what to do, to what, and what to leave alone.

Language makes a `Plan` and knows no pixels; the ops carry it out and know no words. Colours go
through as OKLCH-ready sRGB in `Colour`, so that a name has one meaning in both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from service.engines.contract import Reason


@dataclass(frozen=True, slots=True)
class Colour:
    """A colour as named by a person. `rgb` is 8-bit sRGB.

    `family` is true when the name means a region of colour space (brown, light blue) and false
    for one exact colour (#hex). As a target a family matches by its exemplars; as a destination
    it means its `rgb`.
    """

    name: str
    rgb: tuple[int, int, int]
    family: bool = True


class Part(StrEnum):
    """What an edit is aimed at, apart from a colour."""

    IMAGE = "image"  # everything, background included
    ARTWORK = "artwork"  # everything but the background
    BACKGROUND = "background"
    TEXT = "text"  # all lettering
    TAGLINE = "tagline"  # the smaller line of lettering
    ICON = "icon"  # the artwork that is not lettering
    OUTLINE = "outline"  # thin strokes around or beside fills
    DOTS = "dots"  # small round specks
    DARKEST = "darkest"  # the darkest colour of the artwork ("the dark parts")
    LIGHTEST = "lightest"


@dataclass(frozen=True, slots=True)
class Target:
    """A part, or a colour within a part, or a noun that only a description can place.

    ARTWORK is meant by "the logo" and "it", IMAGE where the op is of the whole picture by nature
    (greys, invert, padding, rotation). `colour` narrows the part: "the brown in the icon". A
    `noun` is the person's word for something drawn ("mountain"); `part` is then ICON or TEXT when
    the description makes it plain and IMAGE when nothing is known, and `colour` is the colour
    that stood beside it ("the brown bean").

    Written in reports as `colour:brown`, `background`, `text`, `noun:mountain`.
    """

    part: Part = Part.IMAGE
    colour: Colour | None = None
    noun: str | None = None

    def __str__(self) -> str:
        if self.noun is not None:
            return f"noun:{self.noun}"
        if self.colour is None:
            return str(self.part)
        where = "" if self.part is Part.IMAGE else f"@{self.part}"
        return f"colour:{self.colour.name}{where}"


class Op(StrEnum):
    """Every edit there is. The comment names the params beside `amount`.

    `amount` is a fraction of the op's full effect: 0.4 is the plain word ("lighter"), 0.2
    "slightly", 0.68 "much", 1 "completely"; a number from the person is literal (20 % is 0.2).
    CONTRAST, BRIGHTNESS and PAD are negative in the other direction. SCALE and UPSCALE take a
    factor, PAD and MOVE a fraction of the canvas. None means the op's default.
    """

    RECOLOUR = "recolour"  # to: Colour; mode: None | exchange (what is `to` becomes the target's)
    LIGHTEN = "lighten"
    DARKEN = "darken"
    WARMER = "warmer"
    COOLER = "cooler"
    PASTEL = "pastel"
    MUTE = "mute"
    VIVID = "vivid"
    EARTHY = "earthy"
    NEON = "neon"
    MONOCHROME = "monochrome"  # to: Colour | None (None = greys)
    ONE_COLOUR = "one_colour"  # to: Colour | None (ink on paper; None = the main colour)
    BLACK_AND_WHITE = "black_and_white"
    DUOTONE = "duotone"  # to: Colour | None, to2: Colour | None (None = the main two)
    LIMIT_PALETTE = "limit_palette"  # count: int | None, colours: tuple[Colour, ...]
    HARMONY = "harmony"  # mode: complementary | analogous | triadic
    FLATTEN = "flatten"  # remove gradients, shading
    INVERT = "invert"
    DARK_MODE = "dark_mode"
    LIGHT_MODE = "light_mode"
    CONTRAST = "contrast"  # amount may be negative
    BRIGHTNESS = "brightness"  # amount may be negative
    SIMPLIFY = "simplify"  # mode is for the ops: keep_colour | keep_shape under a constraint
    BOLDER = "bolder"
    THINNER = "thinner"
    OUTLINE_ONLY = "outline_only"
    ADD_OUTLINE = "add_outline"  # to: Colour | None (None = whichever of black and white shows)
    ROUND = "round"
    SMOOTH = "smooth"
    SHARPEN = "sharpen"
    UPSCALE = "upscale"  # amount: factor of the pixel size, 2 when nothing was said
    VECTORIZE = "vectorize"
    SCALE = "scale"  # amount: factor (bigger 1.25, smaller 0.8); target part may be icon, text
    PAD = "pad"  # amount: fraction of the canvas added at each side (0.1); negative trims
    CENTRE = "centre"  # mode: None | horizontal | vertical
    CROP = "crop"  # to the artwork
    SQUARE = "square"
    ROTATE = "rotate"  # degrees: float, clockwise
    FLIP = "flip"  # mode: horizontal (left becomes right) | vertical
    MOVE = "move"  # mode: left | right | up | down; amount: fraction of the canvas (0.06)
    ARRANGE = "arrange"  # mode: text_above | text_below | text_left | text_right (of the icon)
    BACKGROUND = "background"  # to: Colour | None (None = transparent)
    REMOVE = "remove"  # never of the background: that is BACKGROUND without `to`
    SHADOW = "shadow"
    GLOW = "glow"  # to: Colour | None
    BLUR = "blur"
    VINTAGE = "vintage"
    GRAIN = "grain"


@dataclass(frozen=True, slots=True)
class Edit:
    """One thing to do. `span` is the person's own words for it; `confidence` is 0–1.

    `step` grows at every "then": edits of a later step run after all of an earlier one.
    `confidence` under 0.6 means that the words were vague and a documented default was taken;
    an assumption of the plan says so.
    """

    op: Op
    target: Target
    span: str
    amount: float | None = None
    confidence: float = 1.0
    step: int = 0
    to: Colour | None = None
    to2: Colour | None = None
    colours: tuple[Colour, ...] = ()
    count: int | None = None
    degrees: float | None = None
    mode: str | None = None


class Keep(StrEnum):
    """What about a target must stay as it is."""

    EVERYTHING = "everything"
    COLOUR = "colour"
    SHAPE = "shape"
    PLACE = "place"  # position and size


@dataclass(frozen=True, slots=True)
class Constraint:
    """A protected target. `span` is empty when it came from `preserve_aspects`."""

    keep: Keep
    target: Target
    span: str = ""


@dataclass(frozen=True, slots=True)
class Declined:
    """A part of the prompt that is not carried out, with a sentence for the person."""

    span: str
    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that was read from one instruction."""

    edits: tuple[Edit, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    declined: tuple[Declined, ...] = ()
    corrections: tuple[tuple[str, str], ...] = ()
    assumptions: tuple[str, ...] = field(default=())
