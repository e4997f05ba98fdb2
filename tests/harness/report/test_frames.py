"""Errors of frames, and the best, median and worst of them, from stored predictions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.conftest import not_none

from liftbench import Capabilities, Images, MethodSpec, NoParams
from liftbench.errors import DataMissingError
from liftbench.protocols.builtin import BUILTIN_PROTOCOLS
from liftbench.protocols.metrics import BUILTIN_METRICS
from liftbench.report.frames import FrameSource, PointProtocol
from liftbench.runs.exchange import save_reconstructions
from liftbench.runs.store import RunRecord, RunSpec, Store
from liftbench.types import Dataset, GroundTruth, Observations, Reconstruction, Skeleton

FRAMES, POINTS = 7, 5
PIXEL = 0.5
ERRORS = np.array([3.0, 1.0, 9.0, 7.0, 5.0, 2.0, 4.0])  # distance of each point of a frame
METRICS = {metric.name: metric for metric in BUILTIN_METRICS}
MPJPE = next(protocol for protocol in BUILTIN_PROTOCOLS if protocol.name == "mpjpe")
ROOT = Path("/data/of/mine")
MAKE: Any = object
LOOKER = MethodSpec("looker", "", "", MAKE, NoParams, capabilities=Capabilities(images=True))
REGISTRY = SimpleNamespace(methods=SimpleNamespace(items={"looker": LOOKER}))


def dataset(unscored: tuple[int, ...] = ()) -> Dataset:
    rng = np.random.default_rng(0)
    points, visible = rng.normal(size=(FRAMES, POINTS, 3)), rng.random((FRAMES, POINTS)) < 0.6
    points_2d = np.where(visible[..., None], points[..., :2], np.nan)
    sequence = np.arange(FRAMES) + 10
    skeleton = Skeleton(tuple("abcde"), ((0, 1), (3, 4)))
    mask = np.ones((FRAMES, POINTS), dtype=bool)
    mask[list(unscored)] = False
    return Dataset(
        Observations(points_2d, visible, sequence, "orthographic", skeleton),
        GroundTruth(points, "m", np.full(FRAMES, "all"), sequence, mask),
    )


def prediction(data: Dataset) -> Reconstruction:
    """Return points that are off by `ERRORS` once both are centred."""
    assert data.truth is not None
    away = np.zeros((POINTS, 3))
    away[:, 0] = [1, -1, 1, -1, 0]
    away[4, :] = 0
    return Reconstruction(data.truth.points_3d + ERRORS[:, None, None] * away * 5 / 4)


def record_of(method: str, seed: int = 0) -> RunRecord:
    spec = RunSpec({}, "train", ("train",), {"key": method}, seed)
    return RunRecord(spec, "ok", digests={"train": "1"})


@dataclass
class Setting:
    source: FrameSource
    record: RunRecord
    data: Dataset
    loads: list[str]

    def load(self, split: str) -> Dataset:
        self.loads.append(split)
        return self.data

    def read(self, load: Callable[[str], Dataset] | None = None) -> Any:
        return self.source.read(self.record, load or self.load)


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    bench: Any = SimpleNamespace(root=ROOT, registry=REGISTRY)
    store = Store(tmp_path / "small")
    record = record_of("lifter")
    data = dataset()
    path = store.predictions_path(record.spec.key)
    path.parent.mkdir(parents=True)
    save_reconstructions(path, {"train": prediction(data)})
    source = FrameSource(bench, store, PointProtocol(MPJPE, METRICS[MPJPE.metric], "length"))
    return Setting(source, record, data, [])


def test_the_best_the_median_and_the_worst_frame_are_shown(setting: Setting) -> None:
    frames = setting.read()["train"]
    assert frames.errors == pytest.approx(ERRORS)
    assert frames.frame.tolist() == [1, 6, 2]
    assert frames.error == pytest.approx([1.0, 4.0, 9.0])
    best, median, worst = frames.shown
    assert (best.rank, median.rank, worst.rank) == ("best", "median", "worst")
    assert (worst.index, worst.sequence, worst.error) == (2, 12, pytest.approx(9.0))
    truth = setting.data.truth
    assert truth is not None
    centred = truth.points_3d[2] - truth.points_3d[2].mean(axis=0)
    assert np.allclose(worst.truth, centred)
    gaps = np.linalg.norm(worst.predicted - worst.truth, axis=1)
    assert gaps == pytest.approx([11.25, 11.25, 11.25, 11.25, 0.0])
    assert np.array_equal(worst.hidden, ~setting.data.observations.visible[2])
    assert frames.names.tolist() == list("abcde")
    assert frames.edges.tolist() == [[0, 1], [3, 4]]
    assert str(frames.unit) == "m"


def test_frames_without_truth_are_not_shown(setting: Setting) -> None:
    setting.data = dataset(unscored=(1, 2))
    frames = setting.read()["train"]
    assert frames.errors == pytest.approx(ERRORS[[0, 3, 4, 5, 6]])
    assert frames.frame.tolist() == [5, 6, 3]
    assert frames.counts.all()


def test_frames_are_cached_until_the_predictions_change(setting: Setting) -> None:
    first = setting.read()["train"]
    setting.source.store.predictions_path(setting.record.spec.key).unlink()
    again = setting.read()["train"]
    assert setting.loads == ["train"]
    assert np.array_equal(first.errors, again.errors)
    assert [s.index for s in first.shown] == [s.index for s in again.shown]
    other = RunRecord(setting.record.spec, "ok", digests={"train": "2"})
    assert setting.source.read(other, setting.load) == {}


def test_absent_predictions_are_counted(setting: Setting) -> None:
    setting.source.store.predictions_path(setting.record.spec.key).unlink()
    assert setting.read() == {}
    assert setting.read() == {}
    assert setting.source.left_out == (
        "No error distributions and reconstructions of 2 runs: their predictions (runs/*.npz, "
        "which git does not keep) are not here",
    )


def test_damaged_predictions_are_reported(setting: Setting) -> None:
    path = setting.source.store.predictions_path(setting.record.spec.key)
    path.write_bytes(path.read_bytes()[:-40])
    assert setting.read() == {}
    (reason,) = setting.source.left_out
    assert " of 1 run: " in reason
    assert f"{path}: not a whole .npz file" in reason


def test_absent_data_is_reported_without_the_folder_of_this_machine(setting: Setting) -> None:
    def absent(split: str) -> Dataset:
        raise DataMissingError(f"tiny: looked for {ROOT}/tiny/one.npy")

    assert setting.read(absent) == {}
    (reason,) = setting.source.left_out
    assert reason.endswith("of 1 run: tiny: looked for DATA_ROOT/tiny/one.npy")


def test_predictions_that_cannot_be_scored_are_reported(setting: Setting) -> None:
    path = setting.source.store.predictions_path(setting.record.spec.key)
    save_reconstructions(path, {"train": Reconstruction(np.zeros((FRAMES, POINTS, 3)))})
    assert setting.read() == {}
    assert "all points coincide" in setting.source.left_out[0]


def test_a_method_with_images_has_the_pictures_and_its_points(
    setting: Setting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures of 40 pixels, whose boxes are the pictures, are enlarged four times."""
    monkeypatch.setenv("LIFTBENCH_CROPS", str(tmp_path / "crops"))
    monkeypatch.setattr("liftbench.crops.make_crops.__defaults__", (0.0, 1))
    files = tuple(str(tmp_path / f"{number}.png") for number in range(FRAMES))
    for number, file in enumerate(files):
        Image.new("RGB", (40, 40), (10 * number, 0, 0)).save(file)
    seen = replace(
        setting.data.observations,
        images=Images(files),
        box=np.tile([-20 * PIXEL, -20 * PIXEL, 40 * PIXEL, 40 * PIXEL], (FRAMES, 1)),
        pixel=np.full(FRAMES, PIXEL),
        origin=np.full((FRAMES, 2), 20.0),
    )
    setting.data = Dataset(seen, setting.data.truth)
    setting.record = record_of("looker")
    path = setting.source.store.predictions_path(setting.record.spec.key)
    save_reconstructions(path, {"train": prediction(setting.data)})
    frames = setting.read()["train"]
    assert frames.pictures.shape == (3, 160, 160, 3)
    assert frames.pictures[:, 80, 80, 0].tolist() == [10 * number for number in (1, 6, 2)]
    expected = (prediction(setting.data).points_3d[frames.frame, :, :2] / PIXEL + 20) * 4
    assert np.allclose(frames.positions, expected)
    (best, *_) = frames.shown
    assert best.picture is not None
    assert np.allclose(best.picture.points, expected[0])


def test_a_lifter_has_no_pictures(setting: Setting) -> None:
    assert all(frame.picture is None for frame in setting.read()["train"].shown)


def test_the_frames_of_the_teacher_stand_beside(setting: Setting) -> None:
    teacher = record_of("lifter", seed=1)
    path = setting.source.store.predictions_path(teacher.spec.key)
    truth = not_none(setting.data.truth).points_3d
    save_reconstructions(path, {"train": Reconstruction(truth)})
    frames = setting.source.read(setting.record, setting.load, teacher)["train"]
    for frame in frames.shown:
        assert not_none(frame.teacher).error == pytest.approx(0)
        assert np.allclose(not_none(frame.teacher).predicted, frame.truth)
    path.unlink()
    alone = setting.source.read(setting.record, setting.load, teacher)["train"]
    assert all(frame.teacher is None for frame in alone.shown)
