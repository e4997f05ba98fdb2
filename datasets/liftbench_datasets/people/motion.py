"""Motions of a body: an action with a random tempo and style, within the joint limits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation

from liftbench.types import Floats
from liftbench_datasets.geometry.kinematics import KinematicTree, forward_kinematics
from liftbench_datasets.people.actions import KNOTS, Action, Curve
from liftbench_datasets.people.body import (
    AXIS,
    BODY,
    COLUMN,
    DOFS,
    HIGH,
    LOW,
    MIRROR,
    MIRROR_SIGN,
    SOLE,
    UNREST,
)

FRAMES_PER_SECOND = 60.0


@dataclass(frozen=True, eq=False)
class Motion:
    """The motion of one sequence.

    Attributes:
        angles: (F, D) degrees, a column for each of `DOFS`.
        positions: (F, 31, 3) metres, the ground is at y = 0.
        heading: (F,) degrees to the left of +z that the body faces.
    """

    angles: Floats
    positions: Floats
    heading: Floats


def make_motion(
    rng: np.random.Generator,
    action: Action,
    frames: int,
    body: KinematicTree = BODY,
    frames_per_second: float = FRAMES_PER_SECOND,
    wander: float = 0.0,
) -> Motion:
    """Return `frames` frames of an action in a style drawn from `rng`.

    All random draws come first, so they do not depend on the number of frames.

    Args:
        rng: draws the style.
        action: what the body does.
        frames: their number.
        body: has the joints of `BODY` in the same order; the lengths of its bones may differ.
        frames_per_second: of the motion.
        wander: standard deviation, in degrees, of slow random changes of every angle of the limbs.
    """
    style = _draw_style(rng, action)
    wandering = _draw_drift(rng, len(DOFS)) if wander else None
    seconds = np.arange(frames) / frames_per_second
    cycles = style.start + style.rate * seconds + 0.02 * style.tempo.at(seconds)[:, 0]
    effort = 1 + 0.08 * style.effort.at(seconds)
    angles = effort * _cycle_angles(action, style, cycles) + style.offset
    angles += UNREST * style.unrest.at(seconds)
    if wandering is not None:
        angles += wander * _LIMBS * wandering.at(seconds)
    if action.planted:
        _flatten_feet(angles)
    angles = within_limits(swap_sides(angles) if style.mirrored else angles)
    turn = -action.turn if style.mirrored else action.turn
    heading = style.heading + turn * cycles + 12 * style.veer.at(seconds)[:, 0]
    positions = _stand(_pose(body, angles, heading), action, cycles, heading)
    return Motion(angles, positions, heading)


def within_limits(angles: Floats) -> Floats:
    """Press (F, D) degrees smoothly into the limits; angles far from them do not change."""
    soft = 0.02 * (HIGH - LOW)  # distance from a limit at which the pressing begins
    above = np.logaddexp(0, (angles - LOW) / soft) - np.logaddexp(0, (angles - HIGH) / soft)
    pressed: Floats = np.clip(LOW + soft * above, LOW, HIGH)  # clipped because of rounding errors
    return pressed


def swap_sides(angles: Floats) -> Floats:
    """Swap left and right of (F, D) angles."""
    swapped: Floats = angles[:, MIRROR] * MIRROR_SIGN
    return swapped


def joint_rotations(angles: Floats, heading: Floats) -> Floats:
    """Return the (F, 31, 3, 3) rotations of the joints of `BODY`, each against its parent.

    Args:
        angles: (F, D) degrees, a column for each of `DOFS`.
        heading: (F,) degrees to the left of +z.
    """
    turns = np.zeros((len(angles), len(BODY.names), 3))
    for dof, column in zip(DOFS, angles.T, strict=True):
        turns[:, BODY.names.index(dof.joint), AXIS[dof.kind]] = dof.sign * column
    # First about the bone itself, then sideways, then forward, as the limits assume.
    xzy = turns[..., [0, 2, 1]].reshape(-1, 3)
    rotation: Floats = Rotation.from_euler("XZY", xzy, degrees=True).as_matrix()
    rotation = rotation.reshape(*turns.shape, 3)
    # The pelvis tilts about the hips, whatever direction it faces.
    yxz = turns[:, 0, [1, 0, 2]] + heading[:, None] * [1, 0, 0]
    rotation[:, 0] = Rotation.from_euler("YXZ", yxz, degrees=True).as_matrix()
    return rotation


@dataclass(frozen=True, eq=False)
class _Drift:
    """Smooth random curves of unit size: sums of slow sines, a pure function of time.

    Attributes:
        hertz: (3, C) frequency of each sine.
        start: (3, C) phase of each sine in radians.
    """

    hertz: Floats
    start: Floats

    def at(self, seconds: Floats) -> Floats:
        """Return the values (F, C) of the curves at times (F,)."""
        phase = 2 * np.pi * self.hertz * seconds[:, None, None] + self.start
        total: Floats = np.sin(phase).sum(axis=1) * np.sqrt(2 / 3)
        return total


def _draw_drift(rng: np.random.Generator, columns: int) -> _Drift:
    return _Drift(rng.uniform(0.08, 0.5, (3, columns)), rng.uniform(0, 2 * np.pi, (3, columns)))


@dataclass(frozen=True, eq=False)
class _Style:
    """The habits of one sequence; `mirrored` swaps the sides of the action's table."""

    mirrored: bool
    rate: float
    start: float
    heading: float
    gain: Floats
    offset: Floats
    tempo: _Drift
    effort: _Drift
    veer: _Drift
    unrest: _Drift


def _draw_style(rng: np.random.Generator, action: Action) -> _Style:
    vigour = np.exp(rng.normal(0, action.style / 2))
    return _Style(
        mirrored=bool(rng.random() < 0.5),
        rate=rng.uniform(*action.rate),
        start=rng.random(),
        heading=rng.uniform(0, 360),
        gain=vigour * np.exp(rng.normal(0, action.style, len(DOFS)) * _FREE)[_COMMON],
        offset=rng.normal(0, 1, len(DOFS)) * UNREST,
        tempo=_draw_drift(rng, 1),
        effort=_draw_drift(rng, 1),
        veer=_draw_drift(rng, 1),
        unrest=_draw_drift(rng, len(DOFS)),
    )


# Legs carry the body, so their joints vary less and the right leg varies in the same way as the
# left one.
_BEARING = {"root", *(side + joint for side in "lr" for joint in ("femur", "tibia", "foot"))}
_LONG = {"humerus", "radius", "femur", "tibia"}
_FREE = np.array([0.4 if dof.joint in _BEARING else 1.0 for dof in DOFS])
_LIMBS = np.array([dof.joint[0] in "lr" and dof.joint[1:] in _LONG for dof in DOFS])
_COMMON = [COLUMN[re.sub(r"^r(?=femur|tibia|foot)", "l", dof.name)] for dof in DOFS]


def _cycle_angles(action: Action, style: _Style, cycles: Floats) -> Floats:
    """Return the angles (F, D) of an action at the phases `cycles` (F,)."""
    angles = np.zeros((len(cycles), len(DOFS)))
    for lag, curves in _by_lag(action):
        columns = [COLUMN[name] for name in curves]
        angles[:, columns] = _periodic(list(curves.values()), cycles - lag)
    return angles * style.gain


def _by_lag(action: Action) -> Iterator[tuple[float, dict[str, Curve]]]:
    """Yield each lag with its curves by full name; curves of one side come last and override."""
    named = {name: curve for name, curve in action.curves.items() if name in COLUMN}
    limbs = {name: curve for name, curve in action.curves.items() if name not in COLUMN}
    yield 0.0, {"l" + name: curve for name, curve in limbs.items()}
    yield action.lag, {"r" + name: curve for name, curve in limbs.items()}
    yield 0.0, named


def _periodic(curves: list[Curve], cycles: Floats) -> Floats:
    """Return the values (F, C) of C curves that are given at the eighths of a cycle."""
    knots = np.array([np.resize(curve, KNOTS) for curve in curves], dtype=np.float64).T
    spline = CubicSpline(
        np.linspace(0, 1, KNOTS + 1), np.concatenate([knots, knots[:1]]), bc_type="periodic"
    )
    values: Floats = spline(cycles % 1)
    return values


def _flatten_feet(angles: Floats) -> None:
    """Set the ankles of (F, D) angles so that the soles are level under a bent leg."""
    tilt = angles[:, COLUMN["root.flex"]]
    for side in ("l", "r"):
        hip, knee = (angles[:, COLUMN[f"{side}{joint}.flex"]] for joint in ("femur", "tibia"))
        angles[:, COLUMN[f"{side}foot.flex"]] = tilt + knee - hip


def _pose(body: KinematicTree, angles: Floats, heading: Floats) -> Floats:
    """Return the (F, 31, 3) positions of (F, D) angles, with the root at the origin."""
    return forward_kinematics(body, joint_rotations(angles, heading), np.zeros((len(angles), 3)))


def _stand(pose: Floats, action: Action, cycles: Floats, heading: Floats) -> Floats:
    """Place (F, 31, 3) poses on the ground, and move them along the path of the body."""
    place = np.empty((len(pose), 3))
    place[:, 1] = _periodic([action.lift], cycles)[:, 0] - _lowest_sole(pose)
    if action.planted:
        ankles = [BODY.names.index(name) for name in ("ltibia", "rtibia")]
        place[:, ::2] = -pose[:, ankles].mean(axis=1)[:, ::2]
    else:
        step = action.stride * np.diff(cycles, prepend=cycles[:1])
        facing = np.radians(heading)
        place[:, 0] = np.cumsum(step * np.sin(facing))
        place[:, 2] = np.cumsum(step * np.cos(facing))
    return pose + place[:, None]


def _lowest_sole(pose: Floats) -> Floats:
    """Return the height (F,) of the lowest sole point, smooth where another point gets lowest."""
    soft = 0.004
    soles = [
        pose[:, BODY.names.index(side + joint), 1] - height
        for side in ("l", "r")
        for joint, height in SOLE.items()
    ]
    lowest: Floats = -soft * np.logaddexp.reduce(-np.array(soles) / soft, axis=0)
    return lowest
