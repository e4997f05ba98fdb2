"""The bones of a mean bird, and the tubes of rings around them.

At rest a bird has its wings folded, the beak at -y, the back up along z and its left at +x. The
unit of length is the length of its trunk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from liftbench_datasets.geometry.tubes import Place, Ring

# A ring's vertex 0 is on the bird's left, 4 above (of a leg behind), 8 on its right, 12 below.
# Every tube ends in rings without width.
_SPINE = (
    Ring("beak", (0, -0.220, -0.020), (0, 0)),
    Ring("beak", (0, -0.120, -0.006), (0.020, 0.022)),
    Ring("beak", (0, -0.020, 0.000), (0.044, 0.048), "head", 0.5),
    Ring("head", (0, -0.125, 0.000), (0.092, 0.092)),
    Ring("head", (0, -0.080, 0.014), (0.128, 0.130)),
    Ring("head", (0, -0.010, 0.024), (0.150, 0.155)),
    Ring("head", (0, 0.065, 0.010), (0.148, 0.155), "neck", 0.2),
    Ring("neck", (0, -0.140, 0.020), (0.146, 0.165), "head", 0.5),
    Ring("neck", (0, -0.050, 0.000), (0.168, 0.195), "body", 0.4),
    Ring("body", (0, -0.345, 0.025), (0.200, 0.228), "neck", 0.35),
    Ring("body", (0, -0.240, -0.010), (0.240, 0.272), "neck", 0.1),
    Ring("body", (0, -0.100, -0.035), (0.265, 0.300)),
    Ring("body", (0, 0.060, -0.035), (0.258, 0.288)),
    Ring("body", (0, 0.220, -0.005), (0.215, 0.232)),
    Ring("body", (0, 0.360, 0.030), (0.148, 0.152)),
    Ring("body", (0, 0.440, 0.045), (0.100, 0.094), "tail", 0.4),
    Ring("tail", (0, 0.060, 0.000), (0.074, 0.050)),
    Ring("tail", (0, 0.200, 0.000), (0.074, 0.024)),
    Ring("tail", (0, 0.380, 0.000), (0.086, 0.016)),
    Ring("tail", (0, 0.480, 0.000), (0.078, 0.010)),
    Ring("tail", (0, 0.500, 0.000), (0, 0)),
)
_WING = (
    Ring("wing", (0.000, -0.050, -0.030), (0, 0)),
    Ring("wing", (0.055, 0.010, -0.045), (0.032, 0.085)),
    Ring("wing", (0.074, 0.140, -0.065), (0.040, 0.132)),
    Ring("wing", (0.066, 0.330, -0.050), (0.035, 0.132)),
    Ring("wing", (0.018, 0.530, -0.010), (0.026, 0.096)),
    Ring("wing", (-0.050, 0.710, 0.020), (0.016, 0.050)),
    Ring("wing", (-0.100, 0.840, 0.030), (0, 0)),
)
_LEG = (
    Ring("leg", (0, 0.000, 0.100), (0, 0), "body", 0.5),
    Ring("leg", (0, 0.000, 0.050), (0.058, 0.072), "body", 0.3),
    Ring("leg", (0, 0.000, -0.050), (0.052, 0.062)),
    Ring("leg", (0, -0.010, -0.140), (0.026, 0.030)),
    Ring("leg", (0, -0.010, -0.240), (0.014, 0.016)),
    Ring("leg", (0, 0.000, -0.400), (0.013, 0.013)),
    Ring("leg", (0, 0.000, -0.420), (0, 0)),
)
_FOOT = (
    Ring("foot", (0, 0.110, -0.006), (0, 0)),
    Ring("foot", (0, 0.085, -0.004), (0.014, 0.010)),
    Ring("foot", (0, 0.010, 0.000), (0.022, 0.015)),
    Ring("foot", (0, -0.060, 0.000), (0.046, 0.011)),
    Ring("foot", (0, -0.140, -0.004), (0.042, 0.009)),
    Ring("foot", (0, -0.165, -0.005), (0, 0)),
)
# The parent of each bone, and where it starts from the parent's start.
_MIDDLE_BONES: Mapping[str, tuple[str, Place]] = {
    "body": ("", (0, 0, 0)),
    "neck": ("body", (0, -0.36, 0.10)),
    "head": ("neck", (0, -0.22, 0.05)),
    "beak": ("head", (0, -0.150, -0.015)),
    "tail": ("body", (0, 0.43, 0.05)),
}
_LEFT_BONES: Mapping[str, tuple[str, Place]] = {
    "wing": ("body", (0.20, -0.24, 0.10)),
    "leg": ("body", (0.11, 0.08, -0.22)),
    "foot": ("leg", (0, 0, -0.40)),
}


def _bone_name(side: str, bone: str) -> str:
    return side + bone if bone in _LEFT_BONES else bone


def _place_on_side(side: str, place: Place) -> Place:
    x, y, z = place
    return (x if side == "l" else -x, y, z)


def _tube(side: str, rings: tuple[Ring, ...]) -> tuple[Ring, ...]:
    return tuple(
        replace(ring, bone=_bone_name(side, ring.bone), middle=_place_on_side(side, ring.middle))
        for ring in rings
    )


BONES: Mapping[str, tuple[str, Place]] = {
    **_MIDDLE_BONES,
    **{
        side + bone: (_bone_name(side, parent), _place_on_side(side, start))
        for side in "lr"
        for bone, (parent, start) in _LEFT_BONES.items()
    },
}
TUBES: Mapping[str, tuple[Ring, ...]] = {
    "spine": _SPINE,
    **{
        side + name: _tube(side, rings)
        for side in "lr"
        for name, rings in (("wing", _WING), ("leg", _LEG), ("foot", _FOOT))
    },
}
