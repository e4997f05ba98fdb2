"""The motion reader: positions against a plain loop, and errors that name the line."""

from __future__ import annotations

from math import cos, radians, sin
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from tests.datasets.cmu.conftest import assert_one_line, damaged

from liftbench.errors import UserError
from liftbench.types import Floats
from liftbench_datasets.cmu.amc import read_amc
from liftbench_datasets.cmu.asf import AsfSkeleton, read_asf

ORDER = "TX TY TZ RX RY RZ"
# name, parent, direction, length, axis, dofs
BONES = (
    ("hip", "root", (0.6, -0.8, 0.0), 2.5, (0, 0, 0), ""),
    ("thigh", "hip", (0.34, -0.94, 0.0), 7.5, (0, 0, 20), "rx ry rz"),
    ("shin", "thigh", (0.1, -0.9, 0.4), 7.0, (10, -5, 20), "rz"),
    ("spine", "root", (0.0, 0.8, 0.6), 3.0, (-90, 7e-16, 20), "rz rx"),
)
DOFS = {"root": ORDER.lower().split()} | {b[0]: b[5].split() for b in BONES if b[5]}
HEADER = "#!OML:ASF H:\\liu\\liu.ASF\n:FULLY-SPECIFIED\n:DEGREES\n"
METRES = 0.0254 / 0.45

Frame = dict[str, list[float]]


def asf_text(order: str = ORDER) -> str:
    lines = [":units", "  length 0.45", "  angle deg", ":root", f"  order {order}", ":bonedata"]
    for number, (name, _, direction, length, axis, dofs) in enumerate(BONES, start=1):
        lines += ["  begin", f"    id {number}", f"    name {name}", f"    length {length}"]
        lines += [f"    direction {' '.join(map(str, direction))}"]
        lines += [f"    axis {' '.join(map(str, axis))}  XYZ"]
        lines += [f"    dof {dofs}"] if dofs else []
        lines += ["  end"]
    lines += [":hierarchy", "  begin", *(f"    {b[1]} {b[0]}" for b in BONES), "  end"]
    return "\n".join(lines) + "\n"


def random_motion(frames: int = 3, seed: int = 0) -> list[Frame]:
    rng = np.random.default_rng(seed)
    return [
        {name: np.round(rng.uniform(-90, 90, len(dofs)), 4).tolist() for name, dofs in DOFS.items()}
        for _ in range(frames)
    ]


def amc_text(motion: list[Frame], names: tuple[str, ...] = tuple(DOFS)) -> str:
    lines = []
    for number, frame in enumerate(motion, start=1):
        lines += [str(number), *(" ".join([n, *map(str, frame[n])]) for n in names)]
    return HEADER + "\n".join(lines) + "\n"


AMC = amc_text(random_motion())


def euler(x: float, y: float, z: float) -> Floats:
    a, b, c = radians(x), radians(y), radians(z)
    about_x = np.array([[1, 0, 0], [0, cos(a), -sin(a)], [0, sin(a), cos(a)]])
    about_y = np.array([[cos(b), 0, sin(b)], [0, 1, 0], [-sin(b), 0, cos(b)]])
    about_z = np.array([[cos(c), -sin(c), 0], [sin(c), cos(c), 0], [0, 0, 1]])
    rotation: Floats = about_z @ about_y @ about_x
    return rotation


def loop_positions(motion: list[Frame], dofs: dict[str, list[str]]) -> Floats:
    frames = []
    for frame in motion:
        given_dofs = {n: dict(zip(dofs[n], frame[n], strict=True)) for n in dofs}
        root = given_dofs["root"]
        turn = {"root": euler(root["rx"], root["ry"], root["rz"])}
        end = {"root": METRES * np.array([root["tx"], root["ty"], root["tz"]])}
        for name, parent, direction, length, axis, _ in BONES:
            own = given_dofs.get(name, {})
            local = euler(*axis)
            motion_turn = euler(*(own.get(dof, 0.0) for dof in ("rx", "ry", "rz")))
            turn[name] = turn[parent] @ local @ motion_turn @ np.linalg.inv(local)
            end[name] = end[parent] + turn[name] @ np.array(direction) * length * METRES
        frames.append(list(end.values()))
    return np.array(frames)


def skeleton_in(folder: Path, text: str = asf_text()) -> AsfSkeleton:
    path = folder / "01.asf"
    path.write_text(text, encoding="ascii")
    return read_asf(path)


@pytest.fixture(scope="module")
def skeleton(tmp_path_factory: pytest.TempPathFactory) -> AsfSkeleton:
    return skeleton_in(tmp_path_factory.mktemp("skeleton"))


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "01_01.amc"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("latin-1"))
    return path


def refusal(path: Path, skeleton: AsfSkeleton) -> str:
    with pytest.raises(UserError) as caught:
        read_amc(path, skeleton)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message


@pytest.mark.parametrize("frames", [1, 2, 20])
def test_positions_match_a_loop(tmp_path: Path, skeleton: AsfSkeleton, frames: int) -> None:
    motion = random_motion(frames)
    found = read_amc(written(tmp_path, amc_text(motion)), skeleton)
    assert found.shape == (frames, 5, 3)
    np.testing.assert_allclose(found, loop_positions(motion, DOFS), atol=1e-12)


def test_root_values_follow_the_order_of_the_skeleton(tmp_path: Path) -> None:
    other = skeleton_in(tmp_path, asf_text("RZ TY TX RX TZ RY"))
    dofs = DOFS | {"root": ["rz", "ty", "tx", "rx", "tz", "ry"]}
    found = read_amc(written(tmp_path, AMC), other)
    np.testing.assert_allclose(found, loop_positions(random_motion(), dofs), atol=1e-12)


def test_bones_may_stand_in_any_order(tmp_path: Path, skeleton: AsfSkeleton) -> None:
    text = amc_text(random_motion(), ("spine", "root", "shin", "thigh"))
    np.testing.assert_array_equal(
        read_amc(written(tmp_path, text), skeleton), read_amc(written(tmp_path, AMC), skeleton)
    )


@pytest.mark.parametrize(
    "text",
    [
        AMC.replace("\n", "\r\n"),
        AMC.replace("\n", " \r\n", 5),
        AMC + "\n\n  \n",
        AMC.rstrip("\n"),
        AMC.replace(HEADER, ""),
        AMC.replace(" ", "\t  "),
    ],
    ids=["crlf", "mixed", "blank end", "no end", "no header", "tabs"],
)
def test_line_ends_and_blanks_do_not_matter(
    tmp_path: Path, skeleton: AsfSkeleton, text: str
) -> None:
    expected = read_amc(written(tmp_path, AMC), skeleton)
    np.testing.assert_array_equal(read_amc(written(tmp_path, text), skeleton), expected)


# Frame 2 stands in lines 9 (number), 10 (root), 11 (thigh), 12 (shin), 13 (spine).
@pytest.mark.parametrize(
    ("line", "new", "error_line", "what"),
    [
        (12, None, 13, "the frame before lacks bone 'shin'"),
        (10, None, 13, "the frame before lacks bone 'root'"),
        (9, None, 9, "bone 'root' occurs twice in the frame"),
        (4, None, 4, "expected a header line or a frame number"),
        (18, None, 17, "the file ends inside a frame, before bone 'spine'"),
        (11, "thigh 1 2", 11, "expected 3 values for 'thigh', got 2"),
        (11, "thigh 1 2 3 4", 11, "expected 3 values for 'thigh', got 4"),
        (11, "thigh", 11, "expected 3 values for 'thigh', got 0"),
        (18, "spine 1", 18, "expected 2 values for 'spine', got 1"),
        (12, "shin abc", 12, "'abc' in 'shin' is not a finite number"),
        (12, "shin nan", 12, "'nan' in 'shin' is not a finite number"),
        (12, "shin -inf", 12, "'-inf' in 'shin' is not a finite number"),
        (12, "shin 1e999", 12, "'1e999' in 'shin' is not a finite number"),
        (12, "shin 1.0\x00", 12, "in 'shin' is not a finite number"),
        (12, "thigh 1 2 3", 12, "bone 'thigh' occurs twice in the frame"),
        (12, "arm 1", 12, "bone 'arm' has no values in the skeleton"),
        (12, "hip 1", 12, "bone 'hip' has no values in the skeleton"),
        (12, "", 12, "bone '' has no values in the skeleton"),
        (12, "shin 1\xb0", 12, "not ASCII"),
        (9, "two", 9, "bone 'two' has no values in the skeleton"),
        (9, "2.0", 9, "bone '2.0' has no values in the skeleton"),
        (2, "FULLY-SPECIFIED", 2, "expected a header line or a frame number"),
    ],
)
def test_damage_names_its_line(
    tmp_path: Path, skeleton: AsfSkeleton, line: int, new: str | None, error_line: int, what: str
) -> None:
    lines = AMC.splitlines()
    lines[line - 1 : line] = [] if new is None else [new]
    message = refusal(written(tmp_path, "\n".join(lines)), skeleton)
    assert f" line {error_line}: " in message
    assert what in message


@pytest.mark.parametrize("lines", [4, 5, 7, 9, 15, 17])
def test_a_cut_file_names_its_last_line(tmp_path: Path, skeleton: AsfSkeleton, lines: int) -> None:
    text = "\n".join(AMC.splitlines()[:lines])
    message = refusal(written(tmp_path, text), skeleton)
    assert f" line {lines}: the file ends inside a frame" in message


def test_a_bone_missing_from_every_frame_is_an_error(tmp_path: Path, skeleton: AsfSkeleton) -> None:
    text = amc_text(random_motion(), ("root", "thigh", "spine"))
    assert " line 8: the frame before lacks bone 'shin'" in refusal(
        written(tmp_path, text), skeleton
    )


def test_a_bone_that_stands_twice_everywhere_is_an_error(
    tmp_path: Path, skeleton: AsfSkeleton
) -> None:
    text = amc_text(random_motion(), ("root", "thigh", "thigh", "spine"))
    message = refusal(written(tmp_path, text), skeleton)
    assert " line 7: bone 'thigh' occurs twice in the frame" in message


def test_line_numbers_count_the_header(tmp_path: Path, skeleton: AsfSkeleton) -> None:
    text = "# one more\n\n" + AMC.replace("\nshin", "\nchin", 1)
    assert " line 9: bone 'chin'" in refusal(written(tmp_path, text), skeleton)


@pytest.mark.parametrize("text", ["", HEADER, HEADER + "\n\n"])
def test_a_file_without_frames_is_an_error(
    tmp_path: Path, skeleton: AsfSkeleton, text: str
) -> None:
    assert "no frame" in refusal(written(tmp_path, text), skeleton)


def test_radians_are_refused(tmp_path: Path, skeleton: AsfSkeleton) -> None:
    text = AMC.replace(":DEGREES", ":RADIANS")
    message = refusal(written(tmp_path, text), skeleton)
    assert message.endswith(" line 3: expected :DEGREES; convert the file")


def test_bones_that_change_places_are_errors(tmp_path: Path, skeleton: AsfSkeleton) -> None:
    lines = AMC.splitlines()
    lines[9], lines[10] = lines[10], lines[9]
    message = refusal(written(tmp_path, "\n".join(lines)), skeleton)
    assert "bones change their order" in message


def test_an_absent_file_is_an_error(tmp_path: Path, skeleton: AsfSkeleton) -> None:
    assert "No such file" in refusal(tmp_path / "absent.amc", skeleton)


def assert_finite_or_an_error(amc: Path, skeleton: AsfSkeleton) -> None:
    try:
        found = read_amc(amc, skeleton)
    except UserError as error:
        assert_one_line(error, amc)
        return
    assert found.shape[1:] == (len(skeleton.dofs), 3)
    assert len(found) > 0
    assert np.isfinite(found).all()


@given(content=damaged(AMC))
@settings(max_examples=400, deadline=None)
def test_a_damaged_motion_is_finite_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, skeleton: AsfSkeleton, content: bytes
) -> None:
    assert_finite_or_an_error(written(tmp_path_factory.getbasetemp(), content), skeleton)


@given(content=damaged(asf_text()))
@settings(max_examples=200, deadline=None)
def test_a_motion_on_a_damaged_skeleton_is_finite_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.asf"
    path.write_bytes(content)
    try:
        skeleton = read_asf(path)
    except UserError:
        return
    assert_finite_or_an_error(written(path.parent, AMC), skeleton)
