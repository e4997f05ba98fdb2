"""Reader of the Acclaim motion format (.amc)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from liftbench.errors import UserError
from liftbench.types import Floats
from liftbench_datasets.cmu.asf import AsfSkeleton, euler_rotations, parse_numbers, read_lines
from liftbench_datasets.geometry.kinematics import forward_kinematics


def read_amc(path: Path, skeleton: AsfSkeleton) -> Floats:
    """Read a motion and return its joint positions (F, J, 3) in metres.

    Raises:
        UserError: a frame lacks a bone, a line has the wrong number of values, or a value is
            not a number; the message names the line.
    """
    lines, first = _motion_lines(path)
    values = _motion_values(path, lines, first, skeleton)
    angles = np.zeros((len(values[0]), len(skeleton.dofs), 3))
    position = np.zeros((len(values[0]), 3))
    for joint, (dofs, columns) in enumerate(zip(skeleton.dofs, values, strict=True)):
        for dof, column in zip(dofs, columns.T, strict=True):
            target = angles[:, joint] if dof[0] == "r" else position
            target[:, "xyz".index(dof[1])] = column
    rotation = euler_rotations(angles.reshape(-1, 3)).reshape(*angles.shape, 3)
    return forward_kinematics(skeleton.tree, rotation, position * skeleton.metres)


def _motion_lines(path: Path) -> tuple[list[str], int]:
    """Return the lines from the first frame number on, and the file's line number of the first."""
    lines = read_lines(path)
    first = next((i for i, line in enumerate(lines) if line.strip().isdigit()), len(lines))
    for number, line in enumerate(lines[:first], start=1):
        if line.strip() and line.lstrip()[0] not in "#:":
            raise UserError(f"{path} line {number}: expected a header line or a frame number")
        if line.strip().upper() == ":RADIANS":
            raise UserError(f"{path} line {number}: expected :DEGREES; convert the file")
    end = len(lines)
    while end > first and not lines[end - 1].strip():
        end -= 1
    if first == end:
        raise UserError(f"{path}: no frame; fetch the file again")
    return lines[first:end], first + 1


def _motion_values(path: Path, lines: list[str], first: int, skeleton: AsfSkeleton) -> list[Floats]:
    """Return the values (F, dofs) of each joint, (F, 0) for a joint without degrees of freedom.

    All lines of a bone are parsed at once with a stride, which is ten times as fast as parsing
    frame by frame; if a column does not fit, `_misfit` goes through the lines and names the wrong
    one.
    """
    expected = {n: len(d) for n, d in zip(skeleton.tree.names, skeleton.dofs, strict=True) if d}
    stride = len(expected) + 1
    if len(lines) % stride:
        raise _misfit(path, lines, first, expected)
    columns: dict[str, Floats] = {}
    for offset in range(1, stride):
        name = lines[offset].split(maxsplit=1)[0] if lines[offset].strip() else ""
        column = _column(lines[offset::stride], name, expected.get(name, 0))
        if column is None or name in columns:
            raise _misfit(path, lines, first, expected)
        columns[name] = column
    if not all(map(str.isdigit, map(str.strip, lines[::stride]))):
        raise _misfit(path, lines, first, expected)
    frames = len(lines) // stride
    return [columns.get(name, np.empty((frames, 0))) for name in skeleton.tree.names]


def _column(lines: list[str], name: str, count: int) -> Floats | None:
    """Return the (F, count) values of one bone's lines, or None where a line does not fit."""
    words = " ".join(lines).split()
    if count == 0 or len(words) != len(lines) * (count + 1):
        return None
    if words[:: count + 1].count(name) != len(lines):
        return None
    del words[:: count + 1]
    try:
        values = np.array(words, dtype=np.float64)
    except ValueError:
        return None
    return values.reshape(-1, count) if np.isfinite(values).all() else None


def _misfit(path: Path, lines: list[str], first: int, expected: dict[str, int]) -> UserError:
    """Return an error that names the first line that does not fit the skeleton."""
    left: dict[str, int] = {}
    for number, line in enumerate(lines, start=first):
        name, *values = line.split() or [""]
        if name.isdigit() and not values:
            if left:
                return UserError(
                    f"{path} line {number}: the frame before lacks bone '{next(iter(left))}'"
                )
            left = dict(expected)
        elif name not in left:
            what = (
                "occurs twice in the frame" if name in expected else "has no values in the skeleton"
            )
            return UserError(f"{path} line {number}: bone '{name}' {what}")
        else:
            try:
                parse_numbers(path, number, values, left.pop(name), name)
            except UserError as error:
                return error
    if left:
        return UserError(
            f"{path} line {first + len(lines) - 1}: the file ends inside a frame, before bone "
            f"'{next(iter(left))}'; fetch the file again"
        )
    return UserError(f"{path}: bones change their order between frames; fetch the file again")
