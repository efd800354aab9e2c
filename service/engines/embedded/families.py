"""Decide which colours of an image a colour word means, by the nearest of many examples."""

from __future__ import annotations

import numpy as np

from service.engines.embedded.colour import Floats, distance, oklab
from service.engines.embedded.plan import Colour
from service.engines.embedded.scene.core import Flags

# Examples, not borders: a colour belongs to the families whose nearest example is about as near
# as the nearest of all. Dark browns stand here because people call them brown.
_EXAMPLES: dict[str, str] = {
    "red": "ff0000 e53935 d32f2f c62828 b71c1c 8b0000 ef5350 dc143c c0392b f44336",
    "orange": "ff9800 f57c00 fb8c00 ff7f0e f0913a e67e22 ff5722 d0722a ffa726 ffb366",
    "yellow": "ffff00 ffeb3b fdd835 fbc02d f9d71c ffe066 fff176 ffd700 f1c40f fff59d "
    "ffe3a3 ffe08a f7d774",
    "gold": "d4af37 c9a227 b8860b ffd700 f2b84b cfb53b e0b050 c5a253 ffe3a3",
    "green": "008000 4caf50 2e7d32 1b5e20 66bb6a 81c784 2ecc71 27ae60 00ff00 1f4d36 2f6b4b "
    "163a29 4f8a3c 2c5f2d 97bc62 a5d6a7 6f9c84 8bc34a c8e6c9 556b2f 6b8e23 dfeae2 00a86b",
    "teal": "008080 009688 00796b 26a69a 4db6ac 1abc9c 004d40 2a9d8f 5f9ea0",
    "cyan": "00ffff 00bcd4 26c6da 4dd0e1 80deea 0097a7 3fd0d4 00acc1",
    "blue": "0000ff 2196f3 1976d2 1565c0 0d47a1 42a5f5 64b5f6 90caf9 2b7be0 3498db 2980b9 "
    "1e3a8a 2563eb 3b82f6 1f74a6 2a9fc0 000080 001f3f 102a56 bbdefb 4169e1 87ceeb 3f51b5",
    "navy": "000080 001f3f 0a1f44 102a56 14213d 1b263b 1a237e 0b2545",
    "purple": "800080 9c27b0 7b1fa2 6a1b9a 4a148c 673ab7 512da8 5b2be0 8e44ad 9b59b6 ba68c8 "
    "7c3aed 4b0082 b39ddb e1bee7 2d1b4e",
    "pink": "ffc0cb ff69b4 e91e63 ec407a f06292 f48fb1 f8bbd0 e0398e ff1493 d81b60 ffb6c1",
    "magenta": "ff00ff c2185b e040fb d500f9 cc0099 c71585",
    "brown": "795548 5d4037 4e342e 3e2723 8d6e63 6d4c41 a1887f 8b4513 a0522d 654321 2b1608 "
    "3b2013 3e2214 613619 7b4a2b 8a5633 a06c45 b98a63 8a5a3a 6d3f22 4a2c17 c19a6b cd853f b08460 "
    "b5835a 1f0f06 a47551 c49a6c 9b7653 704214",
    "beige": "f5f5dc e8dcc4 d7c4a3 e5d3b3 d2b48c deb887 eadbc8 ede0d0 c8b696 f7e3c6",
    "cream": "fffdd0 f7eddf faf3e0 fff8e7 fbf5e6 f5ecd7 fdf6e3 f3e9dc fef9ef f8f0e3 f5f1e6",
    "white": "ffffff fafafa f8f8f8 fdfdfd f5f5f5 fcfcfc",
    "grey": "808080 9e9e9e 757575 616161 424242 bdbdbd e0e0e0 607d8b 90a4ae 7a7391 555555 "
    "6b7280 a0a0a0 c0c0c0 d9d9d9 8b8f98 4b5563 eeeeee",
    "black": "000000 111111 1a1a1a 222222 0d0d0d 101010 151515 1d1d1f 2a2a2a 10131c 10162a",
}
_EXAMPLE_LAB: dict[str, Floats] = {
    family: oklab(np.array([list(bytes.fromhex(code)) for code in codes.split()], np.uint8))
    for family, codes in _EXAMPLES.items()
}
# What a word may mean in an image that has nothing of its own family.
_KIN: dict[str, tuple[str, ...]] = {
    "magenta": ("pink", "purple"),
    "gold": ("yellow", "orange"),
    "yellow": ("gold",),
    "cyan": ("teal", "blue"),
    "teal": ("cyan",),
    "navy": ("blue",),
    "beige": ("cream",),
    "cream": ("beige",),
    "pink": ("magenta",),
    "purple": ("magenta",),
}
_MARGIN = 0.022
_LOOSE_MARGIN = 0.06
_FARTHEST = 0.16
_SHADE = 0.09
_EXACT = 0.1
_EXACT_TIE = 0.02


def families_of(lab: Floats) -> list[set[str]]:
    """The families that each colour (n, 3) belongs to; at least one each."""
    names, distances = list(_EXAMPLE_LAB), _distances(lab)
    near = distances <= distances.min(axis=1, keepdims=True) + _MARGIN
    return [{names[f] for f in np.flatnonzero(row)} for row in near]


def members(lab: Floats, wanted: Colour) -> Flags:
    """Which colours (n, 3) a person means by `wanted`; none is a fair answer."""
    if lab.shape[0] == 0:
        return np.zeros(0, np.bool_)
    own = oklab(np.array(wanted.rgb, np.uint8))
    away = distance(lab, own)
    if not wanted.family:
        return np.asarray((away <= _EXACT) & (away <= away.min() + _EXACT_TIE))
    word = wanted.name.lower().replace("gray", "grey")
    if word in _EXAMPLE_LAB:
        own_family = _of_family(lab, word)
        return own_family if own_family.any() else _of_kin(lab, word)
    kin = np.zeros(lab.shape[0], np.bool_)
    for family in sorted(families_of(own[None])[0]):
        kin |= _of_family(lab, family)
    if not kin.any():
        return kin
    nearest = float(away[kin].min())
    return np.asarray(kin & (away <= nearest + _SHADE))


def _of_kin(lab: Floats, family: str) -> Flags:
    """The members of the first family of kin that has any."""
    found = (_of_family(lab, other) for other in _KIN.get(family, ()))
    return next((kin for kin in found if kin.any()), np.zeros(lab.shape[0], np.bool_))


def _distances(lab: Floats) -> Floats:
    """From each colour to the nearest example of each family, shape (n, families)."""
    columns = [
        distance(lab[:, None], examples[None]).min(axis=1) for examples in _EXAMPLE_LAB.values()
    ]
    return np.stack(columns, axis=1)


def _of_family(lab: Floats, family: str) -> Flags:
    distances = _distances(lab)
    own = distances[:, list(_EXAMPLE_LAB).index(family)]
    nearest = distances.min(axis=1)
    for margin in (_MARGIN, _LOOSE_MARGIN):
        near = (own <= nearest + margin) & (own <= _FARTHEST)
        if near.any():
            return np.asarray(near)
    return np.zeros(lab.shape[0], np.bool_)
