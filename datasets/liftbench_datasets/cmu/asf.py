"""Reader of the Acclaim skeleton format (.asf)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from liftbench.errors import UserError
from liftbench.types import Floats
from liftbench_datasets.geometry.kinematics import KinematicTree

METRES_PER_INCH = 0.0254
_TURNS = ("rx", "ry", "rz")


@dataclass(frozen=True, eq=False)
class AsfSkeleton:
    """The content of a skeleton file.

    Attributes:
        tree: joints in the order of the ids in the file, root first, metres.
        dofs: for each joint the degrees of freedom (`tx`..`rz`) in the file's order.
        metres: the length unit of the files in metres.
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
    """Read a skeleton file.

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
        axis=euler_rotations(np.array([b.axis for b in bones])),
    )
    return AsfSkeleton(tree=tree, dofs=tuple(b.dofs for b in bones), metres=metres)


def euler_rotations(degrees: Floats) -> Floats:
    """Return the (N, 3, 3) rotations Rz Ry Rx of (N, 3) angles in degrees about x, y, z."""
    matrices: Floats = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()
    return matrices


_Line = tuple[int, list[str]]


def read_lines(path: Path) -> list[str]:
    """Return the lines of a text file with any kind of line endings.

    Raises:
        UserError: the file cannot be read or is not ASCII text.
    """
    try:
        content = path.read_bytes()
        return content.decode("ascii").splitlines()
    except UnicodeDecodeError as error:
        line = len(content[: error.start + 1].splitlines())
        raise UserError(f"{path} line {line}: not ASCII; fetch the file again") from error
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from error


def _sections(path: Path) -> dict[str, list[_Line]]:
    sections: dict[str, list[_Line]] = {}
    body: list[_Line] = []
    for number, line in enumerate(read_lines(path), start=1):
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
        if words[0] == "angle" and words[1:] != ["deg"]:
            raise UserError(f"{path} line {number}: expected 'angle deg'; convert the file")
    for number, words in lines:
        if words[0] == "length":
            unit = parse_numbers(path, number, words[1:], 1, "length")[0]
            if unit <= 0:
                raise UserError(f"{path} line {number}: 'length' must be positive")
            return unit
    raise UserError(f"{path}: no 'length' under ':units'; fetch the file again")


def _root(path: Path, lines: list[_Line]) -> _Bone:
    fields = {words[0].lower(): (number, words[1:]) for number, words in lines}
    if "order" not in fields:
        raise UserError(f"{path}: no 'order' under ':root'; fetch the file again")
    number, order = fields["order"]
    return _Bone("root", dofs=_dofs(path, number, order, ("tx", "ty", "tz", *_TURNS)))


def _dofs(
    path: Path, number: int, words: Sequence[str], allowed: Sequence[str] = _TURNS
) -> tuple[str, ...]:
    dofs = tuple(word.lower() for word in words)
    if not set(dofs) <= set(allowed):
        raise UserError(
            f"{path} line {number}: expected some of {' '.join(allowed)}, got {' '.join(words)}"
        )
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
            return parse_numbers(path, number, words[:count], count, key)

        name_line, name = fields["name"]
        if len(name) != 1 or name[0] in {"root", *(bone.name for _, bone in bones)}:
            raise UserError(f"{path} line {name_line}: expected a bone name that is not used yet")
        axis_line, axis = fields["axis"]
        if [word.upper() for word in axis[3:]] not in ([], ["XYZ"]):
            raise UserError(f"{path} line {axis_line}: expected an axis in the order XYZ")
        dof_line, dofs = fields.get("dof", (start, []))
        bone = _Bone(
            name=name[0],
            direction=numbers("direction", 3),
            length=numbers("length", 1)[0],
            axis=numbers("axis", 3),
            dofs=_dofs(path, dof_line, dofs),
        )
        bones.append((int(numbers("id", 1)[0]), bone))
    if not bones:
        raise UserError(f"{path}: no bone under ':bonedata'; fetch the file again")
    return [bone for _, bone in sorted(bones, key=lambda pair: pair[0])]


def _blocks(lines: list[_Line]) -> Iterator[tuple[int, list[_Line]]]:
    block: list[_Line] = []
    start = 0
    for number, words in lines:
        if words[0] == "begin":
            start, block = number, []
        elif words[0] == "end":
            yield start, block
            start, block = number, []
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
            if child == names[0]:
                raise UserError(f"{path} line {number}: '{child}' cannot be a child")
            parent[index[child]] = index[first]
    for joint, name in enumerate(names[1:], start=1):
        if not 0 <= parent[joint] < joint:
            raise UserError(
                f"{path}: bone '{name}' has no parent with a smaller id in ':hierarchy'"
            )
    return tuple(parent)


def parse_numbers(
    path: Path, line: int, words: Sequence[str], count: int, field: str
) -> tuple[float, ...]:
    """Return the `count` numbers of a line.

    Raises:
        UserError: there are more or fewer numbers, or one is not finite.
    """
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
