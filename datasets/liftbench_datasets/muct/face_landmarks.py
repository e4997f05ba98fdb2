"""The 76 landmarks of the MUCT faces, in the order of the release.

Left and right are those of the person, so a right eye is on the left of an image. The lines and
pairs were determined from the landmarks of the release's first face, i000qa-fn.
"""

from __future__ import annotations

from itertools import pairwise

from liftbench.types import Skeleton

# The landmarks come in these groups, one after another.
GROUPS = (
    ("jaw", 15),  # from the right ear over the chin to the left one
    ("left_brow", 6),  # from the outer end along the top and back along the bottom
    ("right_brow", 6),
    ("right_eye", 4),  # outer corner, top, inner corner, bottom
    ("right_pupil", 1),
    ("left_eye", 4),
    ("left_pupil", 1),
    ("nose", 9),  # down the right side, under the tip, up the left side
    ("right_nostril", 1),
    ("left_nostril", 1),
    ("lips", 12),  # the outer outline from the right corner over the top
    ("lower_lip", 3),  # its inner outline from the right
    ("upper_lip", 3),  # its inner outline from the left
    ("mouth", 1),
    ("nose_tip", 1),
    ("right_lid", 4),  # between the four points of the eye, in their order
    ("left_lid", 4),
)


def _skeleton() -> Skeleton:
    names = tuple(
        name if count == 1 else f"{name}_{i}" for name, count in GROUPS for i in range(count)
    )
    return Skeleton(names, _edges(), _pairs(), root=names.index("nose_tip"))


def _edges() -> tuple[tuple[int, int], ...]:
    lines = (
        range(15),
        (*range(15, 21), 15),
        (*range(21, 27), 21),
        (27, 68, 28, 69, 29, 70, 30, 71, 27),
        (32, 72, 33, 73, 34, 74, 35, 75, 32),
        range(37, 46),
        (*range(48, 60), 48),
        (48, 60, 61, 62, 54, 63, 64, 65, 48),
    )
    return tuple(edge for line in lines for edge in pairwise(line))


def _pairs() -> tuple[tuple[int, int], ...]:
    """Return pairs of a left and a right landmark."""
    runs = (
        (range(8, 15), range(6, -1, -1)),
        (range(15, 21), range(21, 27)),
        (range(32, 37), range(27, 32)),
        (range(42, 46), range(40, 36, -1)),
        ((47,), (46,)),
        (range(52, 55), range(50, 47, -1)),
        ((55, 56), (59, 58)),
        ((62, 63), (60, 65)),
        (range(72, 76), range(68, 72)),
    )
    return tuple(pair for left, right in runs for pair in zip(left, right, strict=True))


FACE = _skeleton()
"""Names, lines and pairs of the landmarks; the root is the tip of the nose."""
