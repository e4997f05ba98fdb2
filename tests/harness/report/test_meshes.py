"""Meshes of stored runs: which frames are shown, and where they lie in their pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.conftest import not_none

from liftbench import Capabilities
from liftbench.meshes.rasteriser import covered_pixels
from liftbench.protocols.builtin import BUILTIN_PROTOCOLS
from liftbench.protocols.metrics import BUILTIN_METRICS
from liftbench.protocols.view_metrics import BUILTIN_VIEW_METRICS
from liftbench.report.content import MeshGallery
from liftbench.report.meshes import EDGE, FRAMES, MeshSource, Ranking, read_meshes
from liftbench.runs.exchange import digest
from liftbench.runs.plan import Cell
from liftbench.runs.store import RunRecord, RunResult, RunSpec, Store
from liftbench.types import Dataset, Reconstruction
from liftbench_datasets.cub.synthetic.adapter import SyntheticCub
from liftbench_datasets.cub.synthetic.surface import FACES

PROTOCOL = next(p for p in BUILTIN_PROTOCOLS if p.name == "miou")
METRIC = next(m for m in BUILTIN_VIEW_METRICS if m.name == "mask_overlap")
RANKING = Ranking(PROTOCOL, METRIC)
BIRDS = SyntheticCub(frames=55)
SHIFT = 6.0  # pixels; bird i is i times as far off


@dataclass(frozen=True)
class Stored:
    store: Store
    record: RunRecord

    def read(self) -> MeshGallery | None:
        return read_meshes(self.record, self.store, RANKING, load)


def load(split: str) -> Dataset:
    return BIRDS.load(Path(), "all", split)


def stored(folder: Path, prediction: Reconstruction) -> Stored:
    spec = RunSpec({"key": "synthetic_cub"}, "train", ("train", "test"), {"key": "ours"}, 0)
    record = RunRecord(spec, "ok", digests={"train": "x", "test": digest(prediction)})
    store = Store(folder / "suite")
    store.write_result(RunResult(record, {"test": prediction}))
    return Stored(store, record)


@pytest.fixture(scope="module")
def true_birds() -> Reconstruction:
    """The birds of `test` with their true surfaces, each farther from its picture than the last."""
    truth = not_none(load("test").truth)
    views = BIRDS.views().take(slice(-len(truth.points_3d), None))
    surface = np.stack([views.picture_vertices(i) for i in range(len(truth.points_3d))])
    order = np.random.default_rng(0).permutation(len(surface))
    surface[..., 0] += SHIFT * order[:, None]
    colours = np.random.default_rng(1).uniform(size=surface.shape)
    return Reconstruction(truth.points_3d, vertices=surface, faces=FACES, colours=colours)


def test_frames_go_from_the_best_to_the_worst(tmp_path: Path, true_birds: Reconstruction) -> None:
    gallery = not_none(stored(tmp_path, true_birds).read())
    values = [frame.value for frame in gallery.frames]
    assert len(values) == FRAMES
    assert values == sorted(values, reverse=True)
    every = METRIC.scores(true_birds, load("test"))
    assert values[0] == pytest.approx(every.max())
    assert values[-1] == pytest.approx(every.min())
    assert values[FRAMES // 2] == np.sort(every)[::-1][len(every) // 2]
    assert gallery.names[0].startswith("best frame ")
    assert gallery.names[1].startswith("frame ")
    assert gallery.names[FRAMES // 2].startswith("median frame ")
    assert gallery.names[-1].startswith("worst frame ")
    assert [every[frame.index] for frame in gallery.frames] == pytest.approx(values)
    assert (gallery.title, gallery.method, gallery.metric) == ("test", "ours", "miou@2 (ratio)")


def test_meshes_lie_where_the_birds_are_in_their_pictures(
    tmp_path: Path, true_birds: Reconstruction
) -> None:
    gallery = not_none(stored(tmp_path, true_birds).read())
    best, seen = gallery.frames[0], load("test").observations
    assert best.value > 0.99
    assert best.pixels.shape == (EDGE, EDGE, 3)
    mask = covered_pixels(best.vertices - 0.5, gallery.faces, (EDGE, EDGE))
    images = not_none(seen.images)
    rows, columns = np.nonzero(images.mask(best.index))
    box = not_none(seen.box)[best.index]  # from the middle of the first pixel, as rows and columns
    edge = 1.2 * box[2:].max()
    corner = box[:2] + box[2:] / 2 - edge / 2
    scale = EDGE / edge
    middle = scale * (np.array([columns.mean(), rows.mean()]) - corner)
    found = np.array(np.nonzero(mask)).mean(axis=1)[::-1] + 0.5
    assert np.abs(found - middle).max() < 0.3
    assert mask.sum() == pytest.approx(scale**2 * len(rows), rel=0.03)
    colours = not_none(true_birds.colours)[best.index]
    assert np.abs(best.colours / 255 - colours).max() < 0.003


def test_a_mesh_that_is_inside_out_is_turned(tmp_path: Path, true_birds: Reconstruction) -> None:
    inside_out = replace(true_birds, faces=FACES[:, ::-1])
    gallery = not_none(stored(tmp_path, inside_out).read())
    assert (np.sort(gallery.faces, axis=1) == np.sort(FACES, axis=1)).all()
    first, second, third = np.moveaxis(gallery.frames[0].vertices[gallery.faces], 1, 0)
    assert (first * np.cross(second, third)).sum() > 0


@pytest.mark.parametrize("lacking", ["colours", "vertices"])
def test_a_run_without_coloured_meshes_has_none(
    tmp_path: Path, true_birds: Reconstruction, lacking: str
) -> None:
    plain = replace(true_birds, colours=None)
    if lacking == "vertices":
        plain = replace(plain, vertices=None, faces=None)
    assert stored(tmp_path, plain).read() is None


def source(store: Store) -> MeshSource:
    methods = {
        key: SimpleNamespace(capabilities=Capabilities(images=key != "lifter"))
        for key in ("ours", "lifter")
    }
    registry = SimpleNamespace(
        protocols={p.name: p for p in BUILTIN_PROTOCOLS},
        metrics={m.name: m for m in (*BUILTIN_METRICS, *BUILTIN_VIEW_METRICS)},
        methods=SimpleNamespace(items=methods),
    )
    bench: Any = SimpleNamespace(
        root=Path("/data"), registry=registry, load=lambda _, split: load(split)
    )
    return MeshSource(bench, store, ("e3d", "miou"))


def cell(record: RunRecord, *others: RunRecord) -> Cell:
    runs = tuple(other.spec for other in (*others, record))
    return Cell("row", "synthetic_cub", "all", "", "train", ("test",), runs, 1)


def test_a_row_shows_its_first_finished_run(tmp_path: Path, true_birds: Reconstruction) -> None:
    run = stored(tmp_path, true_birds)
    failed = replace(run.record, status="failed", spec=replace(run.record.spec, seed=9))
    records = {r.spec.key: r for r in (failed, run.record)}
    found = list(source(run.store).galleries("birds", [cell(run.record, failed)], records))
    assert [(g.title, g.method, g.seed) for g in found] == [("birds test", "row", 0)]


def test_absent_predictions_are_counted(tmp_path: Path, true_birds: Reconstruction) -> None:
    run = stored(tmp_path, true_birds)
    run.store.predictions_path(run.record.spec.key).unlink()
    meshes = source(run.store)
    records = {run.record.spec.key: run.record}
    assert list(meshes.galleries("birds", [cell(run.record)] * 2, records)) == []
    assert meshes.left_out == (
        "No meshes of 2 runs: their predictions (runs/*.npz, which git does not keep) are not here",
    )


def test_methods_that_see_no_pictures_are_not_missed(
    tmp_path: Path, true_birds: Reconstruction
) -> None:
    run = stored(tmp_path, true_birds)
    lifter = replace(run.record, spec=replace(run.record.spec, method={"key": "lifter"}))
    meshes = source(run.store)
    assert list(meshes.galleries("birds", [cell(lifter)], {lifter.spec.key: lifter})) == []
    assert meshes.left_out == ()


def test_a_suite_that_scores_no_views_shows_no_meshes(
    tmp_path: Path, true_birds: Reconstruction
) -> None:
    run = stored(tmp_path, true_birds)
    points = replace(source(run.store), protocols=("e3d",))
    records = {run.record.spec.key: run.record}
    assert list(points.galleries("birds", [cell(run.record)], records)) == []


def test_pictures_are_white_beyond_their_edges(tmp_path: Path, true_birds: Reconstruction) -> None:
    gallery = not_none(stored(tmp_path, true_birds).read())
    box = not_none(load("test").observations.box)
    beyond = 0
    for frame in gallery.frames:
        edge = 1.2 * box[frame.index, 2:].max()
        left, _ = box[frame.index, :2] + box[frame.index, 2:] / 2 + 0.5 - edge / 2
        first, last = -left * EDGE / edge, (256 - left) * EDGE / edge
        outside = [*range(int(first)), *range(int(np.ceil(last)) + 1, EDGE)]
        beyond += len(outside)
        assert (frame.pixels[:, outside] == 255).all()
        middle = frame.pixels[EDGE // 2, max(0, int(first) + 2) : min(EDGE, int(last) - 1)]
        assert (middle < 255).any(axis=1).mean() > 0.9
    assert beyond > 0
