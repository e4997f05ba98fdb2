"""Readers of the Acclaim skeleton (.asf) and motion (.amc) formats."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
from liftbench.errors import UserError
from liftbench.types import Floats
from scipy.spatial.transform import Rotation

from liftbench_datasets.kinematics import KinematicTree, forward_kinematics

METRES_PER_INCH = 0.0254


@dataclass(frozen=True, eq=False)
class AsfSkeleton:
    """A skeleton file.

    Attributes:
        tree: joints in the order of the ids in the file, root first, metres.
        dofs: for each joint the degrees of freedom (`tx`..`rz`) in the file's order.
        metres: metres in one unit of the files.
    """

    tree: KinematicTree
    dofs: tuple[tuple[str, ...], ...]
    metres: float


@dataclass(frozen=True)
class _Bone:
    name: str
    direction: tuple[float, ...] = (0.0, 0.0, 0.0)
    length: float = 0.0
    axis: tuple[float, ...] = (0.0, 0.0, 0.0)
    dofs: tuple[str, ...] = ()


def read_asf(path: Path) -> AsfSkeleton:
    """Read a skeleton.

    Raises:
        UserError: a section or field is missing or damaged.
    """
    sections = _sections(path)
    for needed in ("units", "root", "bonedata", "hierarchy"):
        if needed not in sections:
            raise UserError(f"{path}: no ':{needed}' section; fetch the file again")
    length_unit = _length_unit(path, sections["units"])
    bones = [_root(path, sections["root"]), *_bones(path, sections["bonedata"])]
    metres = METRES_PER_INCH / length_unit
    parent = _parents(path, sections["hierarchy"], [bone.name for bone in bones])
    tree = KinematicTree(
        names=tuple(bone.name for bone in bones),
        parent=parent,
        bone=np.array([np.multiply(b.direction, b.length * metres) for b in bones]),
        axis=_euler(np.array([b.axis for b in bones])),
    )
    return AsfSkeleton(tree=tree, dofs=tuple(b.dofs for b in bones), metres=metres)


def read_amc(path: Path, skeleton: AsfSkeleton) -> Floats:
    """Read a motion and return its joint positions (F, J, 3) in metres.

    Raises:
        UserError: a frame lacks a bone, a line has the wrong number of values, or a value is
            no number; the message names the line.
    """
    lines, first = _motion_lines(path)
    values = _motion_values(path, lines, first, skeleton)
    angles = np.zeros((len(values[0]), len(skeleton.dofs), 3))
    position = np.zeros((len(values[0]), 3))
    for joint, (dofs, columns) in enumerate(zip(skeleton.dofs, values, strict=True)):
        for dof, column in zip(dofs, columns.T, strict=True):
            target = angles[:, joint] if dof[0] == "r" else position
            target[:, "xyz".index(dof[1])] = column
    rotation = _euler(angles.reshape(-1, 3)).reshape(*angles.shape, 3)
    return forward_kinematics(skeleton.tree, rotation, position * skeleton.metres)


def _euler(degrees: Floats) -> Floats:
    """Return R = Rz Ry Rx of (N, 3) angles about x, y, z."""
    matrices: Floats = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()
    return matrices


# --- skeleton -----------------------------------------------------------------------------

_Line = tuple[int, list[str]]


def _read_lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii").splitlines()
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: byte {error.start} is not ASCII; fetch the file again") from error
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from error


def _sections(path: Path) -> dict[str, list[_Line]]:
    sections: dict[str, list[_Line]] = {}
    body: list[_Line] = []
    for number, line in enumerate(_read_lines(path), start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0].startswith(":"):
            body = sections.setdefault(words[0][1:], [])
        else:
            body.append((number, words))
    return sections


def _length_unit(path: Path, lines: list[_Line]) -> float:
    for number, words in lines:
        if words[0] == "length":
            return _numbers(path, number, words[1:], 1, "length")[0]
    raise UserError(f"{path}: no 'length' under ':units'; fetch the file again")


def _root(path: Path, lines: list[_Line]) -> _Bone:
    fields = {words[0].lower(): (number, words[1:]) for number, words in lines}
    if "order" not in fields:
        raise UserError(f"{path}: no 'order' under ':root'; fetch the file again")
    number, order = fields["order"]
    return _Bone("root", dofs=_dofs(path, number, order))


def _dofs(path: Path, number: int, words: Sequence[str]) -> tuple[str, ...]:
    dofs = tuple(word.lower() for word in words)
    if not set(dofs) <= {"tx", "ty", "tz", "rx", "ry", "rz"}:
        raise UserError(f"{path} line {number}: expected TX TY TZ RX RY RZ, got {' '.join(words)}")
    return dofs


def _bones(path: Path, lines: list[_Line]) -> list[_Bone]:
    bones: list[tuple[int, _Bone]] = []
    for start, block in _blocks(lines):
        fields = {words[0]: (number, words[1:]) for number, words in block}
        for needed in ("id", "name", "direction", "length", "axis"):
            if needed not in fields:
                raise UserError(f"{path} line {start}: a bone has no '{needed}'")

        def numbers(
            key: str, count: int, fields: dict[str, tuple[int, list[str]]] = fields
        ) -> tuple[float, ...]:
            number, words = fields[key]
            return _numbers(path, number, words[:count], count, key)

        dof_line, dofs = fields.get("dof", (start, []))
        bone = _Bone(
            name=fields["name"][1][0],
            direction=numbers("direction", 3),
            length=numbers("length", 1)[0],
            axis=numbers("axis", 3),
            dofs=_dofs(path, dof_line, dofs),
        )
        bones.append((int(numbers("id", 1)[0]), bone))
    return [bone for _, bone in sorted(bones, key=lambda pair: pair[0])]


def _blocks(lines: list[_Line]) -> Iterator[tuple[int, list[_Line]]]:
    block: list[_Line] = []
    start = 0
    for number, words in lines:
        if words[0] == "begin":
            start, block = number, []
        elif words[0] == "end":
            yield start, block
        else:
            block.append((number, words))


def _parents(path: Path, lines: list[_Line], names: list[str]) -> tuple[int, ...]:
    """Return the index of each joint's parent; a parent must have a smaller id than its child."""
    index = {name: i for i, name in enumerate(names)}
    parent = [-1] * len(names)
    for number, (first, *children) in ((n, w) for n, w in lines if w[0] not in ("begin", "end")):
        for name in (first, *children):
            if name not in index:
                raise UserError(f"{path} line {number}: bone '{name}' is not under ':bonedata'")
        for child in children:
            parent[index[child]] = index[first]
    for joint, name in enumerate(names[1:], start=1):
        if not 0 <= parent[joint] < joint:
            raise UserError(f"{path}: bone '{name}' has no parent with a smaller id in ':hierarchy'")
    return tuple(parent)


def _numbers(
    path: Path, line: int, words: Sequence[str], count: int, field: str
) -> tuple[float, ...]:
    if len(words) != count:
        raise UserError(
            f"{path} line {line}: expected {count} values for '{field}', got {len(words)}"
        )
    for word in words:
        if not _is_number(word):
            raise UserError(f"{path} line {line}: '{word}' in '{field}' is not a finite number")
    return tuple(map(float, words))


def _is_number(word: str) -> bool:
    try:
        return bool(np.isfinite(float(word)))
    except ValueError:
        return False


# --- motion -------------------------------------------------------------------------------


def _motion_lines(path: Path) -> tuple[list[str], int]:
    """Return the lines from the first frame number on, and the file's line number of the first."""
    lines = _read_lines(path)
    first = next((i for i, line in enumerate(lines) if line.strip().isdigit()), len(lines))
    end = len(lines)
    while end > first and not lines[end - 1].strip():
        end -= 1
    if first == end:
        raise UserError(f"{path}: no frame; fetch the file again")
    return lines[first:end], first + 1


def _motion_values(
    path: Path, lines: list[str], first: int, skeleton: AsfSkeleton
) -> list[Floats]:
    """Return for each joint its values (F, dofs); a joint without dofs has none.

    Lines are taken a bone at a time with a stride, which is ten times as fast as frame by
    frame; where a column does not fit, `_locate` walks the lines to name the one at fault.
    """
    expected = {n: len(d) for n, d in zip(skeleton.tree.names, skeleton.dofs, strict=True) if d}
    stride = len(expected) + 1
    if len(lines) % stride:
        _locate(path, lines, first, expected)
    columns: dict[str, Floats] = {}
    for offset in range(1, stride):
        name = lines[offset].split(maxsplit=1)[0] if lines[offset].strip() else ""
        column = _column(lines[offset::stride], name, expected.get(name, 0))
        if column is None or name in columns:
            _locate(path, lines, first, expected)
        columns[name] = column
    if not all(map(str.isdigit, map(str.strip, lines[::stride]))):
        _locate(path, lines, first, expected)
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


def _locate(path: Path, lines: list[str], first: int, expected: dict[str, int]) -> NoReturn:
    """Raise the error that names the first line which does not fit."""
    left: dict[str, int] = {}
    for number, line in enumerate(lines, start=first):
        words = line.split()
        if len(words) == 1 and words[0].isdigit():
            _fail_if(bool(left), path, number, lambda left=left: f"the frame lacks bone '{next(iter(left))}'")
            left = dict(expected)
            continue
        name = words[0] if words else ""
        _fail_if(name not in expected, path, number, lambda n=name: f"'{n}' is no bone with values in the skeleton")
        _fail_if(name not in left, path, number, lambda n=name: f"bone '{n}' stands twice in the frame")
        _numbers(path, number, words[1:], left.pop(name), name)
    _fail_if(
        bool(left), path, first + len(lines) - 1,
        lambda: f"the file ends inside a frame, before bone '{next(iter(left))}'; fetch it again",
    )
    raise UserError(f"{path}: bones change their order between frames; fetch the file again")


def _fail_if(bad: bool, path: Path, line: int, message: Callable[[], str]) -> None:
    if bad:
        raise UserError(f"{path} line {line}: {message()}")
