"""The skeleton reader: what it reads, and what it refuses with a one-line error."""

from __future__ import annotations

from math import cos, radians, sin
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from tests.datasets.cmu.conftest import assert_one_line, damaged

from liftbench.errors import UserError
from liftbench_datasets.cmu.asf import euler_rotations, read_asf

ASF = """\
# AST/ASF file generated using VICON BodyLanguage
:version 1.10
:name VICON
:units
  mass 1.0
  length 0.45
  angle deg
:documentation
   length 7 stands here and is no unit
:root
   order TX TY TZ RX RY RZ
   axis XYZ
   position 0 0 0
   orientation 0 0 0
:bonedata
  begin
     id 1
     name hip
     direction 0.6 -0.8 0
     length 2.5
     axis 0 0 0  XYZ
  end
  begin
     id 3
     name shin
     direction 0 -1 0
     length 7
     axis 10 -5 20  XYZ
    dof rz rx
    limits (-160.0 20.0)
           (-70.0 70.0)
  end
  begin
     id 2
     name thigh
     direction 0.34202 -0.939693 0
     length 7.5
     axis 0 0 20  XYZ
    dof rx ry rz
    limits (-160.0 20.0)
           (-70.0 70.0)
           (-70.0 60.0)
  end
:hierarchy
  begin
    root hip
    hip thigh
    thigh shin
  end
"""
METRES = 0.0254 / 0.45


def written(folder: Path, text: str) -> Path:
    path = folder / "01.asf"
    path.write_bytes(text.encode("latin-1"))
    return path


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def without(text: str, start: str, end: str) -> str:
    return text[: text.index(start)] + text[text.index(end) :]


def refusal(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        read_asf(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message


def test_euler_angles_turn_about_x_then_y_then_z() -> None:
    a, b, c = (radians(v) for v in (25, -40, 70))
    about_x = np.array([[1, 0, 0], [0, cos(a), -sin(a)], [0, sin(a), cos(a)]])
    about_y = np.array([[cos(b), 0, sin(b)], [0, 1, 0], [-sin(b), 0, cos(b)]])
    about_z = np.array([[cos(c), -sin(c), 0], [sin(c), cos(c), 0], [0, 0, 1]])
    found = euler_rotations(np.array([[25.0, -40, 70]]))
    np.testing.assert_allclose(found, [about_z @ about_y @ about_x], atol=1e-14)


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_joints_stand_in_the_order_of_ids(tmp_path: Path, ends: str) -> None:
    skeleton = read_asf(written(tmp_path, ASF.replace("\n", ends)))
    assert skeleton.tree.names == ("root", "hip", "thigh", "shin")
    assert skeleton.tree.parent == (-1, 0, 1, 2)
    assert skeleton.dofs == (
        ("tx", "ty", "tz", "rx", "ry", "rz"),
        (),
        ("rx", "ry", "rz"),
        ("rz", "rx"),
    )
    assert skeleton.metres == pytest.approx(METRES)
    expected = METRES * np.array(
        [[0, 0, 0], [0.6 * 2.5, -0.8 * 2.5, 0], [0.34202 * 7.5, -0.939693 * 7.5, 0], [0, -7, 0]]
    )
    np.testing.assert_allclose(skeleton.tree.bone, expected, rtol=1e-12)
    angles = np.array([[0.0, 0, 0], [0, 0, 0], [0, 0, 20], [10, -5, 20]])
    np.testing.assert_allclose(skeleton.tree.axis, euler_rotations(angles), atol=1e-14)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("direction 0.6 -0.8 0", "direction 0.6 -0.8", "expected 3 values for 'direction', got 2"),
        ("direction 0.6 -0.8 0", "direction 0.6 x 0", "'x' in 'direction'"),
        ("length 2.5", "length abc", "'abc' in 'length'"),
        ("length 2.5", "length nan", "'nan' in 'length'"),
        ("length 2.5", "length 1e999", "'1e999' in 'length'"),
        ("length 2.5", "length", "expected 1 values for 'length', got 0"),
        ("axis 10 -5 20  XYZ", "axis 10 XYZ", "'axis'"),
        ("axis 10 -5 20  XYZ", "axis 10 -5 20 ZYX", "expected an axis in the order XYZ"),
        ("angle deg", "angle rad", "expected 'angle deg'; convert the file"),
        ("id 3", "id three", "'three' in 'id'"),
        ("name hip", "name", "bone name"),
        ("name thigh", "name hip", "bone name"),
        ("name hip", "name root", "bone name"),
        ("dof rz rx", "dof rz rw", "expected some of rx ry rz, got rz rw"),
        ("dof rz rx", "dof rz tx", "expected some of rx ry rz, got rz tx"),
        ("order TX TY TZ", "order TX TY TU", "expected some of tx ty tz"),
        ("length 0.45", "length none", "'none' in 'length'"),
        ("length 0.45", "length 0", "'length' must be positive"),
        ("length 0.45", "length -1", "'length' must be positive"),
        ("hip thigh", "hip thigh arm", "bone 'arm' is not under ':bonedata'"),
        ("hip thigh", "arm thigh", "bone 'arm' is not under ':bonedata'"),
        ("thigh shin", "thigh shin root", "'root' cannot be a child"),
        ("axis 10 -5 20", "axis 10 \xe9 20", "not ASCII"),
    ],
)
def test_a_damaged_line_is_an_error(tmp_path: Path, old: str, new: str, what: str) -> None:
    message = refusal(written(tmp_path, ASF.replace(old, new)))
    assert f" line {line_of(ASF, old)}: " in message
    assert what in message


@pytest.mark.parametrize("field", ["id", "name", "direction", "length", "axis"])
def test_a_bone_without_a_field_is_an_error(tmp_path: Path, field: str) -> None:
    start = ASF.rindex("  begin\n     id 2")
    cut = ASF.index(f"     {field}", start)
    text = ASF[:cut] + ASF[ASF.index("\n", cut) + 1 :]
    message = refusal(written(tmp_path, text))
    assert message.endswith(f" line {ASF[:start].count(chr(10)) + 1}: a bone has no '{field}'")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "no ':units' section"),
        (without(ASF, ":units", ":documentation"), "no ':units' section"),
        (without(ASF, ":root", ":bonedata"), "no ':root' section"),
        (without(ASF, ":bonedata", ":hierarchy"), "no ':bonedata' section"),
        (ASF[: ASF.index(":hierarchy")], "no ':hierarchy' section"),
        (ASF.replace("  length 0.45\n", ""), "no 'length' under ':units'"),
        (ASF.replace("   order TX TY TZ RX RY RZ\n", ""), "no 'order' under ':root'"),
        (without(ASF, "  begin\n     id 1", ":hierarchy"), "no bone under ':bonedata'"),
        (ASF.replace("    thigh shin\n", ""), "bone 'shin' has no parent with a smaller id"),
        (ASF.replace("root hip", "shin hip"), "bone 'hip' has no parent with a smaller id"),
        (ASF.replace("hip thigh", "thigh thigh"), "bone 'thigh' has no parent"),
    ],
)
def test_a_missing_part_is_an_error(tmp_path: Path, text: str, what: str) -> None:
    assert what in refusal(written(tmp_path, text))


def test_an_unreadable_file_is_an_error(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "absent.asf")
    assert "directory" in refusal(tmp_path)


def test_a_lost_begin_does_not_mix_bones(tmp_path: Path) -> None:
    text = ASF.replace("  begin\n     id 2", "     id 2").replace("    dof rx ry rz\n", "")
    assert read_asf(written(tmp_path, text)).dofs[2:] == ((), ("rz", "rx"))


@given(content=damaged(ASF))
@settings(max_examples=300, deadline=None)
def test_damage_gives_a_skeleton_or_a_user_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.asf"
    path.write_bytes(content)
    try:
        skeleton = read_asf(path)
    except UserError as error:
        assert_one_line(error, path)
        return
    tree = skeleton.tree
    assert np.isfinite(tree.bone).all()
    assert np.isfinite(tree.axis).all()
    assert tree.parent[0] == -1
    assert all(0 <= parent < joint for joint, parent in enumerate(tree.parent) if joint)
    assert len(tree.names) == len(set(tree.names)) == len(skeleton.dofs) > 1
