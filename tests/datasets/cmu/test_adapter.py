"""The CMU adapter on a small archive that the test writes, and on the real files."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.datasets.conftest import truth_of

from liftbench.arrays import Arrays
from liftbench.cameras import project
from liftbench.errors import DataMissingError, UserError
from liftbench.suites.suite import make_params
from liftbench.types import Camera, Dataset, Floats
from liftbench_datasets.adapting.sequence_splits import split_sequences
from liftbench_datasets.cmu import adapter as cmu
from liftbench_datasets.cmu.adapter import CMU, Cmu, CmuParams
from liftbench_datasets.cmu.amc import read_amc
from liftbench_datasets.cmu.asf import read_asf

NAMES = ("hip", "lleg", "rleg", "neck")
PARENTS = ("root", "hip", "hip", "root")
TRIALS = (1, 2, 3, 5, 8, 13)
LAYOUTS = {
    "archive": "all_asfamc/subjects",
    "subjects": "subjects",
    "folders": "",
    "below cmu": "cmu",
    "subjects below cmu": "cmu/subjects",
    "archive below cmu": "cmu/all_asfamc/subjects",
}


def write_subject(
    archive: Path, subject: str, trials: tuple[int, ...] = TRIALS, digits: int = 2
) -> Path:
    """Write a subject whose trial t has t + 2 frames; return its folder."""
    folder = archive / subject
    folder.mkdir(parents=True)
    lines = [":units", "length 0.45", ":root", "order TX TY TZ RX RY RZ", ":bonedata"]
    for number, name in enumerate(NAMES, start=1):
        lines += ["begin", f"id {number}", f"name {name}", f"direction 0.6 0.8 {number}"]
        lines += [f"length {number}", f"axis 0 {number} 9 XYZ", "dof rx rz", "end"]
    lines += [":hierarchy", "begin", *map(" ".join, zip(PARENTS, NAMES, strict=True)), "end"]
    (folder / f"{subject}.asf").write_text("\n".join(lines), encoding="ascii")
    for trial in trials:
        write_motion(folder / f"{subject}_{trial:0{digits}}.amc", trial + 2, seed=trial)
    return folder


def write_motion(path: Path, frames: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    lines = [":DEGREES"]
    for number in range(1, frames + 1):
        lines += [str(number), "root " + " ".join(map(str, rng.uniform(-50, 50, 6)))]
        lines += [f"{n} {rng.uniform(-50, 50)} {rng.uniform(-50, 50)}" for n in NAMES]
    path.write_text("\n".join(lines), encoding="ascii")


def counts(data: Dataset) -> dict[int, int]:
    ids, frames = np.unique(truth_of(data).sequence, return_counts=True)
    return dict(zip(ids.tolist(), frames.tolist(), strict=True))


def distances(points: Floats) -> Floats:
    apart: Floats = np.linalg.norm(points[:, :, None] - points[:, None], axis=3)
    return apart


def whole(adapter: Cmu, root: Path, subset: str = "01") -> dict[int, Floats]:
    """Return the 3D views of every sequence of both splits."""
    parts = [truth_of(adapter.load(root, subset, split)) for split in ("train", "unseen")]
    return {
        int(t): part.points_3d[part.sequence == t] for part in parts for t in set(part.sequence)
    }


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_subject(tmp_path / "cmu", "01")
    write_subject(tmp_path / "cmu", "102", (1, 2))
    return tmp_path


@pytest.mark.parametrize("below", LAYOUTS.values(), ids=LAYOUTS)
def test_every_layout_is_found(tmp_path: Path, below: str) -> None:
    write_subject(tmp_path / below, "01")
    write_subject(tmp_path / below, "102", (1, 2))
    (tmp_path / below / "notes").mkdir()
    assert Cmu().subsets(tmp_path) == ("01", "102")
    assert Cmu().load(tmp_path, "01", "train").observations.frames == sum((3, 4, 5, 7))


def test_the_adapter_is_made_from_its_params() -> None:
    made = CMU.make(**vars(CMU.params()))
    assert isinstance(made, Cmu)
    assert made.params == CmuParams(view_seed=0, camera="orthographic", distance=4.0)
    assert CMU.splits == ("train", "unseen")


def test_the_first_four_fifths_are_train() -> None:
    for count in range(1, 200):
        trials = list(range(3, 3 + count))
        train = split_sequences(trials, "train")
        assert train == trials[: 4 * count // 5]
        assert [*train, *split_sequences(trials, "unseen")] == trials


def test_splits_are_whole_sequences_in_file_order(root: Path) -> None:
    assert counts(Cmu().load(root, "01", "train")) == {1: 3, 2: 4, 3: 5, 5: 7}
    assert counts(Cmu().load(root, "01", "unseen")) == {8: 10, 13: 15}


def test_trials_stand_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    write_subject(tmp_path, "01", (2, 9, 10, 11, 100), digits=1)
    train = Cmu().load(tmp_path, "01", "train")
    assert list(dict.fromkeys(truth_of(train).sequence.tolist())) == [2, 9, 10, 11]
    assert counts(Cmu().load(tmp_path, "01", "unseen")) == {100: 102}


def test_a_subject_with_one_sequence_has_no_train_split(tmp_path: Path) -> None:
    write_subject(tmp_path, "45", (1,))
    with pytest.raises(DataMissingError, match="45 has too few sequences for a 'train' split"):
        Cmu().load(tmp_path, "45", "train")
    assert counts(Cmu().load(tmp_path, "45", "unseen")) == {1: 3}


def test_the_3d_points_are_the_turned_positions_of_the_files(root: Path) -> None:
    data = Cmu().load(root, "01", "train")
    folder = root / "cmu" / "01"
    skeleton = read_asf(folder / "01.asf")
    parsed = np.concatenate([read_amc(folder / f"01_{t:02}.amc", skeleton) for t in TRIALS[:4]])
    points = truth_of(data).points_3d
    np.testing.assert_allclose(distances(points), distances(parsed), atol=1e-12)
    for frame, view in zip(parsed, points, strict=True):
        flat = frame - frame.mean(axis=0)
        turn = np.linalg.pinv(flat) @ view
        np.testing.assert_allclose(flat @ turn, view, atol=1e-12)
        assert np.linalg.det(turn) == pytest.approx(1.0)


def test_the_2d_points_are_the_first_two_coordinates(root: Path) -> None:
    data = Cmu().load(root, "01", "train")
    seen, truth = data.observations, truth_of(data)
    np.testing.assert_array_equal(seen.points_2d, truth.points_3d[..., :2])
    np.testing.assert_allclose(truth.points_3d.mean(axis=1), 0.0, atol=1e-12)
    assert seen.visible.all()
    assert seen.camera == "orthographic"
    assert (truth.unit, truth.mask) == ("m", None)
    assert set(truth.group) == {"01"}


def test_the_skeleton_is_that_of_the_file(root: Path) -> None:
    skeleton = Cmu().load(root, "01", "train").observations.skeleton
    assert skeleton.points == ("root", *NAMES)
    assert skeleton.edges == ((0, 1), (1, 2), (1, 3), (0, 4))
    assert skeleton.left_right == ((2, 3),)
    assert skeleton.root == 0


def test_views_are_the_same_every_time(root: Path) -> None:
    first, again = (truth_of(Cmu().load(root, "01", "train")).points_3d for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_views_follow_the_view_seed(root: Path) -> None:
    first, other = (
        truth_of(Cmu(view_seed=seed).load(root, "01", "train")).points_3d for seed in (0, 1)
    )
    assert (np.abs(first - other).max(axis=(1, 2)) > 1e-3).all()
    np.testing.assert_allclose(distances(first), distances(other), atol=1e-12)


def test_every_frame_has_a_view_of_its_own(root: Path) -> None:
    for trial in TRIALS:
        motion = root / "cmu" / "01" / f"01_{trial:02}.amc"
        write_motion(motion, 1, seed=0)
        header, *pose = motion.read_text(encoding="ascii").splitlines()
        motion.write_text("\n".join([header, *(pose * 5)]), encoding="ascii")
    views = np.concatenate(list(whole(Cmu(), root).values()))
    np.testing.assert_allclose(distances(views), distances(views)[[0] * 30], atol=1e-12)
    for i, j in zip(*np.triu_indices(30, 1), strict=True):
        assert np.abs(views[i] - views[j]).max() > 1e-6


def test_views_differ_between_subjects(root: Path) -> None:
    one, other = (truth_of(Cmu().load(root, s, "unseen")) for s in ("01", "102"))
    first, second = (t.points_3d[t.sequence == t.sequence[0]][:3] for t in (one, other))
    assert not np.allclose(first, second)
    shutil.copy(root / "cmu" / "01" / "01_08.amc", root / "cmu" / "102" / "102_08.amc")
    again = truth_of(Cmu().load(root, "102", "unseen"))
    copied = again.points_3d[again.sequence == 8]
    original = one.points_3d[one.sequence == 8]
    np.testing.assert_allclose(distances(copied), distances(original), atol=1e-12)
    assert not np.allclose(copied, original)


@pytest.mark.parametrize("removed", TRIALS)
def test_views_of_a_sequence_do_not_depend_on_the_others(root: Path, removed: int) -> None:
    before = whole(Cmu(), root)
    (root / "cmu" / "01" / f"01_{removed:02}.amc").unlink()
    after = whole(Cmu(), root)
    assert after.keys() == before.keys() - {removed}
    for trial, views in after.items():
        np.testing.assert_array_equal(views, before[trial])


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: write_motion(folder / "01_03.amc", 5, seed=77),
        lambda folder: (folder / "01_03.amc").unlink(),
        lambda folder: (folder / "01_03.amc").rename(folder / "01_04.amc"),
        lambda folder: write_motion(folder / "01_20.amc", 5, seed=3),
        lambda folder: (folder / "01.asf").write_text(
            (folder / "01.asf").read_text().replace("length 2", "length 2.1")
        ),
    ],
    ids=["motion", "removed", "renamed", "added", "skeleton"],
)
def test_the_checksum_sees_every_change(root: Path, change: Callable[[Path], object]) -> None:
    before, other = (Cmu().checksum(root, subset) for subset in ("01", "102"))
    assert Cmu().checksum(root, "01") == before
    change(root / "cmu" / "01")
    assert Cmu().checksum(root, "01") != before
    assert Cmu().checksum(root, "102") == other


def test_the_checksum_does_not_depend_on_the_place(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root / "cmu", tmp_path / "elsewhere" / "subjects")
    assert Cmu().checksum(tmp_path / "elsewhere", "01") == Cmu().checksum(root, "01")


@pytest.mark.parametrize("camera", ["perspective", "weak_perspective"])
def test_cameras_with_depth_look_from_their_distance(root: Path, camera: Camera) -> None:
    flat = Cmu().load(root, "01", "train")
    far = Cmu(camera=camera, distance=40.0).load(root, "01", "train")
    points = truth_of(far).points_3d
    shift = points - truth_of(flat).points_3d
    # Bones of 1, 2, 3 and 4 with a direction of 0.8 along y: hip 0.8, lleg 2.4, rleg 3.2, neck 3.2.
    height = 3.2 * 0.0254 / 0.45
    np.testing.assert_allclose(shift[..., :2], 0.0, atol=1e-12)
    np.testing.assert_allclose(shift[..., 2], 40 * height, atol=1e-12)
    np.testing.assert_array_equal(far.observations.points_2d, project(points, camera))
    assert far.observations.camera == camera


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"camera": "fisheye"}, "dataset 'cmu': camera: "),
        ({"distance": 0.9}, "dataset 'cmu': distance: expected a finite number of at least 1"),
        ({"distance": "far"}, "dataset 'cmu': distance: "),
    ],
)
def test_params_are_checked(params: dict[str, object], message: str) -> None:
    with pytest.raises(UserError) as caught:
        make_params("dataset 'cmu'", CMU.params, params)
    assert str(caught.value).startswith(message)


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return the list to which every parsed skeleton's path is added."""
    paths: list[Path] = []
    parse = cmu._parse

    def counted(asf: Path, motions: list[Path]) -> Arrays:
        paths.append(asf)
        return parse(asf, motions)

    monkeypatch.setattr(cmu, "_parse", counted)
    return paths


def test_a_second_load_does_not_parse(root: Path, parsed: list[Path]) -> None:
    first = Cmu().load(root, "01", "train")
    again = Cmu(view_seed=0).load(root, "01", "train")
    Cmu().load(root, "01", "unseen")
    assert len(parsed) == 1
    np.testing.assert_array_equal(truth_of(first).points_3d, truth_of(again).points_3d)
    assert first.observations.skeleton == again.observations.skeleton


def test_changed_files_are_parsed_again(root: Path, parsed: list[Path]) -> None:
    first = Cmu().load(root, "01", "train")
    write_motion(root / "cmu" / "01" / "01_03.amc", 9, seed=3)
    assert Cmu().load(root, "01", "train").observations.frames == first.observations.frames + 4
    assert len(parsed) == 2


@pytest.mark.parametrize("part", [np.s_[:0], np.s_[:500], np.s_[:-1], np.s_[::-1]], ids=str)
def test_a_damaged_cache_is_rebuilt(
    root: Path, parsed: list[Path], cache_folder: Path, part: slice
) -> None:
    first = Cmu().load(root, "01", "train")
    (stored,) = cache_folder.rglob("*.npz")
    stored.write_bytes(stored.read_bytes()[part])
    for _ in range(2):
        again = Cmu().load(root, "01", "train")
        np.testing.assert_array_equal(truth_of(first).points_3d, truth_of(again).points_3d)
    assert len(parsed) == 2


@pytest.mark.parametrize("call", ["checksum", "note", "load"])
def test_an_absent_subject_names_the_path_looked_for(root: Path, call: str) -> None:
    args = (root, "77", "train") if call == "load" else (root, "77")
    with pytest.raises(DataMissingError) as caught:
        getattr(Cmu(), call)(*args)
    assert str(root / "cmu" / "77" / "77.asf") in str(caught.value)
    assert "data info cmu" in str(caught.value)


@pytest.mark.parametrize("below", ["", "nowhere"])
def test_an_absent_archive_names_the_path_looked_for(tmp_path: Path, below: str) -> None:
    place = tmp_path / below
    assert Cmu().subsets(place) == ()
    with pytest.raises(DataMissingError, match="01 not found") as caught:
        Cmu().load(place, "01", "train")
    assert str(place / "cmu" / "01" / "01.asf") in str(caught.value)


def test_a_subject_without_motions_names_the_folder(tmp_path: Path) -> None:
    folder = write_subject(tmp_path, "01", ())
    with pytest.raises(DataMissingError) as caught:
        Cmu().load(tmp_path, "01", "train")
    assert f"01_*.amc in {folder}" in str(caught.value)


def test_a_motion_with_an_odd_name_is_an_error(root: Path) -> None:
    odd = root / "cmu" / "01" / "01_03 copy.amc"
    shutil.copy(root / "cmu" / "01" / "01_03.amc", odd)
    with pytest.raises(UserError, match="expected a name such as") as caught:
        Cmu().load(root, "01", "train")
    assert str(odd) in str(caught.value)


def test_the_note_says_what_is_missing(root: Path) -> None:
    assert Cmu().note(root, "01").startswith("6 of the official 14 sequences")
    assert Cmu().note(root, "102") == ""


def test_check_reports_every_subject(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cmu, "POINTS", 5)
    monkeypatch.setattr(cmu, "OFFICIAL_FRAMES", {})
    for folder, subject in ((root / "cmu" / name, name) for name in ("01", "102")):
        change_unit(folder / f"{subject}.asf", "0.05")
    first, second = Cmu().check(root)
    assert (first.item, first.ok, second.item, second.ok) == ("01", True, "102", True)
    # Bones of 0.8 x 4 units of 1 / 0.05 inches from the lowest joint to the highest.
    counts = "6 sequences, 44 frames, 5 points, 1.63 m tall; 6 of the official 14"
    assert first.detail.startswith(counts)
    assert second.detail == "2 sequences, 7 frames, 5 points, 1.63 m tall"


@pytest.mark.parametrize(("unit", "tall"), [("0.09", "0.90"), ("0.03", "2.71")])
def test_check_finds_another_unit_of_length(
    root: Path, monkeypatch: pytest.MonkeyPatch, unit: str, tall: str
) -> None:
    monkeypatch.setattr(cmu, "POINTS", 5)
    change_unit(root / "cmu" / "102" / "102.asf", unit)
    second = Cmu().check(root)[1]
    assert not second.ok
    assert second.detail.endswith(f"{tall} m tall; expected a height of 1.0 to 2.5 m")


def change_unit(asf: Path, unit: str) -> None:
    text = asf.read_text(encoding="ascii")
    asf.write_text(text.replace("length 0.45", f"length {unit}"), encoding="ascii")


def test_check_finds_other_counts(root: Path) -> None:
    first, second = Cmu().check(root)
    assert not first.ok
    assert "; expected 31 points" in first.detail
    assert first.detail.endswith("; not the official frame count")
    assert not second.ok


def test_check_reports_damage_and_goes_on(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cmu, "POINTS", 5)
    monkeypatch.setattr(cmu, "HEIGHT_RANGE", (0.0, 1.0))
    damaged = root / "cmu" / "01" / "01_03.amc"
    damaged.write_text(damaged.read_text(encoding="ascii")[:-30], encoding="ascii")
    first, second = Cmu().check(root)
    assert not first.ok
    assert str(damaged) in first.detail
    assert second.ok


def test_check_reports_an_absent_archive(tmp_path: Path) -> None:
    (finding,) = Cmu().check(tmp_path)
    assert not finding.ok
    assert str(tmp_path) in finding.detail


@pytest.fixture(scope="session")
def real(shared_data: Path) -> Path:
    if not (shared_data / "cmu").is_dir():
        pytest.skip(f"no CMU files in {shared_data}")
    return shared_data


def test_the_real_subject_01(real: Path) -> None:
    folder = real / "cmu" / "01"
    arrays = cmu._parse(folder / "01.asf", sorted(folder.glob("*.amc")))
    assert arrays["positions"].shape == (54_857, 31, 3)
    for parent, child in arrays["edges"]:
        ends = arrays["positions"][:, [parent, child]]
        assert np.ptp(np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1)) < 1e-6
    train = np.isin(arrays["sequence"], split_sequences(arrays["trials"].tolist(), "train"))
    assert int(train.sum()) == 45_025
    assert Cmu().note(real, "01") == ""


@pytest.mark.parametrize(("subject", "have", "official"), [("07", 9, 12), ("39", 12, 14)])
def test_the_real_partial_subjects(real: Path, subject: str, have: int, official: int) -> None:
    data = [Cmu().load(real, subject, split) for split in ("train", "unseen")]
    assert sum(len(counts(part)) for part in data) == have
    assert {truth_of(part).points_3d.shape[1] for part in data} == {31}
    note = f"{have} of the official {official} sequences"
    assert Cmu().note(real, subject).startswith(note)


@pytest.mark.parametrize("subject", ["07", "39"])
def test_the_nearest_camera_is_outside_every_real_body(real: Path, subject: str) -> None:
    for split in ("train", "unseen"):
        near = Cmu(camera="perspective", distance=1.0).load(real, subject, split)
        assert truth_of(near).points_3d[..., 2].min() > 0.3
        assert truth_of(near).points_3d[..., 2].mean() == pytest.approx(1.51, abs=0.02)


def test_check_of_the_real_files(real: Path) -> None:
    findings = {finding.item: finding for finding in Cmu().check(real)}
    assert findings.keys() == {"01", "07", "39"}
    assert all(finding.ok for finding in findings.values())
    assert findings["01"].detail.startswith("14 sequences, 54857 frames, 31 points, 1.")
