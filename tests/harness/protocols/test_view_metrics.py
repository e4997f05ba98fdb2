"""Scores of key points, masks, volumes, surfaces and rotations against closed forms and loops."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.spatial.transform import Rotation

from liftbench.images import Images
from liftbench.plugin.registry import Registry
from liftbench.protocols.view_metrics import (
    LackingOutputError,
    correct_keypoints,
    mask_overlap,
    mesh_voxels,
    reproject,
    vertex_distances,
    volume_overlap,
    wrong_rotations,
)
from liftbench.runs.scoring import more_is_better, score_record
from liftbench.runs.store import RunRecord, RunSpec
from liftbench.types import (
    Bools,
    Dataset,
    Floats,
    GroundTruth,
    Mesh,
    Observations,
    Reconstruction,
    Skeleton,
)

F, P = 4, 6
# The two triangles of each face of a cube whose corner i has the bits of i as coordinates.
CUBE = np.array(
    [
        [0, 1, 3], [0, 3, 2], [4, 5, 7], [4, 7, 6], [0, 1, 5], [0, 5, 4],
        [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 3, 7], [1, 7, 5],
    ]
)  # fmt: skip


def box(low: tuple[float, ...], high: tuple[float, ...]) -> Mesh:
    bits = np.array([[i >> k & 1 for k in range(3)] for i in range(8)])
    return Mesh(np.where(bits, high, low), CUBE)


def observations(points_2d: Floats, visible: Bools, images: Images | None = None) -> Observations:
    shown = np.where(visible[..., None], points_2d, np.nan)
    boxes = np.arange(1.0, F + 1)[:, None] * np.array([10.0, 20.0, 100.0, 60.0])
    names = Skeleton(tuple("abcdef"))
    return Observations(shown, visible, np.arange(F), "orthographic", names, boxes, images)


def reconstruction(**fields: NDArray[Any]) -> Reconstruction:
    return Reconstruction(np.zeros((F, P, 3)), **fields)


def test_key_points_match_a_loop() -> None:
    rng = np.random.default_rng(0)
    true, visible = rng.uniform(0, 100, (F, P, 2)), rng.random((F, P)) < 0.7
    guess = true + rng.normal(0, 15, true.shape)
    data = Dataset(observations(true, visible), None)
    expected = []
    for f in range(F):
        shown = [p for p in range(P) if visible[f, p]]
        limit = 0.1 * 100 * (f + 1)
        close = [p for p in shown if np.linalg.norm(guess[f, p] - true[f, p]) <= limit]
        expected.append(100 * len(close) / len(shown))
    found = correct_keypoints(reconstruction(points_2d=guess), data)
    np.testing.assert_allclose(found, expected)
    assert len(set(expected)) > 1


@pytest.mark.parametrize("edges", [(60.0, 100.0), (100.0, 60.0)])
def test_a_key_point_at_the_limit_is_correct(edges: tuple[float, float]) -> None:
    true = np.zeros((F, P, 2))
    seen = observations(true, np.ones((F, P), dtype=bool))
    seen = replace(seen, box=np.tile([500.0, 700.0, *edges], (F, 1)))
    guess = true.copy()
    guess[1, 0] = [10, 0]
    guess[2, 0] = [6, -8]
    guess[3, 0] = [10.001, 0]
    found = correct_keypoints(reconstruction(points_2d=guess), Dataset(seen, None))
    np.testing.assert_allclose(found, [100, 100, 100, 100 * 5 / 6])


def test_hidden_key_points_do_not_count_and_a_frame_without_any_has_no_score() -> None:
    true, visible = np.zeros((F, P, 2)), np.ones((F, P), dtype=bool)
    visible[0], visible[1, 2:] = False, False
    guess = true.copy()
    guess[1, 1:] = 1e6
    found = correct_keypoints(
        reconstruction(points_2d=guess), Dataset(observations(true, visible), None)
    )
    np.testing.assert_array_equal(found, [np.nan, 50, 100, 100])


def test_points_of_a_lifter_are_moved_to_the_mean_of_the_visible_points() -> None:
    rng = np.random.default_rng(1)
    true, visible = rng.uniform(0, 100, (F, P, 2)), rng.random((F, P)) < 0.7
    visible[1] = False
    lifted = rng.normal(0, 30, (F, P, 3))
    seen = observations(true, visible)
    found = reproject(Reconstruction(lifted), seen)
    for f in (0, 2, 3):
        shown = [p for p in range(P) if visible[f, p]]
        for axis in range(2):
            gap = np.mean([found[f, p, axis] - true[f, p, axis] for p in shown])
            assert abs(gap) < 1e-9
        np.testing.assert_allclose(found[f] - found[f, 0], lifted[f, :, :2] - lifted[f, 0, :2])
    lifted[..., :2] = true + np.array([500.0, -80.0])
    scores = correct_keypoints(Reconstruction(lifted), Dataset(seen, None))
    np.testing.assert_array_equal(scores, [100, np.nan, 100, 100])
    given = Reconstruction(lifted, points_2d=true - 3)
    np.testing.assert_array_equal(reproject(given, seen), true - 3)


@pytest.mark.parametrize(("pixel", "origin"), [(1.0, 0.5), (0.25, 7.0)])
def test_masks_overlap_as_squares_do(tmp_path: Path, pixel: float, origin: float) -> None:
    truth = np.zeros((40, 40), np.uint8)
    truth[0:20, 0:20] = 255
    Image.fromarray(truth).save(tmp_path / "mask.png")
    files = (str(tmp_path / "mask.png"),) * F
    seen = observations(np.zeros((F, P, 2)), np.ones((F, P), dtype=bool), Images(files, files))
    seen = replace(seen, pixel=np.full(F, pixel), origin=np.full((F, 2), origin))
    squares = [box((x, 0, 0), (x + 20, 20, 1)) for x in (0, 10, 20, 10)]
    vertices = np.stack([pixel * (square.vertices - [origin, origin, 0]) for square in squares])
    found = mask_overlap(reconstruction(vertices=vertices, faces=CUBE), Dataset(seen, None))
    np.testing.assert_allclose(found, [1, 200 / 600, 0, 200 / 600])
    with pytest.raises(ValueError, match="`pixel` and `origin`"):
        mask_overlap(
            reconstruction(vertices=vertices, faces=CUBE), Dataset(replace(seen, origin=None), None)
        )


def test_a_closed_surface_is_filled() -> None:
    whole = mesh_voxels(box((0, 0, 0), (1, 1, 1)), np.zeros(3), 1.0)
    assert whole.all()
    half = mesh_voxels(box((0, 0, 0), (1, 1, 0.49)), np.zeros(3), 1.0)
    assert half[:, :, :16].all()
    assert not half[:, :, 16:].any()


def test_an_open_surface_is_a_shell() -> None:
    plate = Mesh(np.array([[0.0, 0, 0.51], [1, 0, 0.51], [0, 1, 0.51]]), np.array([[0, 1, 2]]))
    voxels = mesh_voxels(plate, np.zeros(3), 1.0)
    assert voxels.any(axis=2).sum() == voxels.sum()


@pytest.mark.parametrize("turn", [np.eye(3), np.eye(3)[[1, 2, 0]]])
def test_volumes_overlap_as_boxes_do(turn: Floats) -> None:
    truth = box((0, 0, 0), (2, 1, 1))
    ends = ((0, 2), (0, 1), (1, 3), (2, 4))
    guesses = [box((low, 0, 0), (high, 1, 1)) for low, high in ends]
    data = Dataset(
        observations(np.zeros((F, P, 2)), np.ones((F, P), dtype=bool)),
        GroundTruth(
            np.zeros((F, P, 3)),
            "m",
            np.full(F, "box"),
            np.arange(F),
            meshes=(Mesh(truth.vertices @ turn, CUBE),),
            mesh=np.zeros(F, dtype=np.int64),
        ),
    )
    vertices = np.stack([guess.vertices @ turn for guess in guesses])
    found = volume_overlap(reconstruction(canonical_vertices=vertices, faces=CUBE), data)
    np.testing.assert_allclose(found, [1, 1 / 2, 1 / 3, 0], atol=0.06)
    assert found[0] == 1


def truth_of_boxes(**fields: Any) -> Dataset:
    """Return frames whose truth is one box, or another for each frame."""
    meshes = tuple(box((0, 0, 0), (1 + frame, 2, 1)) for frame in range(F))
    truth = GroundTruth(
        np.zeros((F, P, 3)), "m", np.full(F, "box"), np.arange(F), meshes=meshes, mesh=np.arange(F)
    )
    seen = observations(np.zeros((F, P, 2)), np.ones((F, P), dtype=bool))
    return Dataset(seen, replace(truth, **fields))


def test_a_rotation_is_wrong_beyond_60_degrees() -> None:
    true = Rotation.random(F, random_state=0)
    error = Rotation.from_rotvec(np.radians([59.9, 60.1, 180, 0])[:, None] * [[0, 0.6, 0.8]])
    found = reconstruction(rotation=(error * true).as_matrix())
    scores = wrong_rotations(found, truth_of_boxes(rotation=true.as_matrix()))
    assert scores.tolist() == [0, 100, 100, 0]


def test_vertices_are_compared_after_the_best_similarity() -> None:
    data = truth_of_boxes()
    true = np.array([box((0, 0, 0), (1 + frame, 2, 1)).vertices for frame in range(F)])
    turns = Rotation.random(F, random_state=0).as_matrix()
    same = 3 * true @ turns + np.arange(F)[:, None, None]
    found = vertex_distances(reconstruction(canonical_vertices=same, faces=CUBE), data)
    np.testing.assert_allclose(found, 0, atol=1e-12)
    # A cube in place of a box of edges a, 2, 1: each corner is off by the same vector.
    cube = np.tile(box((0, 0, 0), (1, 1, 1)).vertices, (F, 1, 1))
    found = vertex_distances(reconstruction(canonical_vertices=cube, faces=CUBE), data)
    for frame, score in enumerate(found):
        edges = np.array([1 + frame, 2, 1])
        best = edges.sum() / 3  # least squares
        expected = np.linalg.norm(best - edges) / np.linalg.norm(edges)
        assert score == pytest.approx(expected)
    mirrored = true * [-1, 1, 1]
    mirrored[:, 0] += 0.5  # so that no rotation takes it to its mirror image
    found = vertex_distances(reconstruction(canonical_vertices=mirrored, faces=CUBE), data)
    assert (found > 0.01).all()


def test_vertices_of_other_triangles_are_not_compared() -> None:
    given = reconstruction(canonical_vertices=np.zeros((F, 8, 3)), faces=CUBE[::-1])
    with pytest.raises(LackingOutputError, match="triangles of the true meshes"):
        vertex_distances(given, truth_of_boxes())


def test_tables_know_which_scores_should_be_low(registry: Registry) -> None:
    better = {
        name: more_is_better(registry.protocols[name], registry)
        for name in ("pck", "miou", "iou3d", "wrong_rotations", "vertex_error", "e3d")
    }
    assert [name for name, more in better.items() if more] == ["pck", "miou", "iou3d"]


def test_a_missing_output_is_named() -> None:
    data = Dataset(observations(np.zeros((F, P, 2)), np.ones((F, P), dtype=bool)), None)
    for changes, words in (
        ({"box": None}, "PCK needs boxes"),
        ({"camera": "perspective"}, r"\(points_2d\) of a perspective camera"),
    ):
        other = Dataset(replace(data.observations, **changes), None)
        with pytest.raises(LackingOutputError, match=words):
            correct_keypoints(reconstruction(), other)
    for metric, words in (
        (mask_overlap, "vertices and faces"),
        (volume_overlap, "canonical_vertices and faces"),
        (vertex_distances, "a canonical mesh"),
        (wrong_rotations, "need rotations"),
    ):
        with pytest.raises(LackingOutputError, match=words):
            metric(reconstruction(), data)
    surface = reconstruction(
        vertices=np.zeros((F, 8, 3)), canonical_vertices=np.zeros((F, 8, 3)), faces=CUBE
    )
    with pytest.raises(ValueError, match="images with masks"):
        mask_overlap(surface, data)
    for metric in (volume_overlap, vertex_distances):
        with pytest.raises(ValueError, match="true meshes"):
            metric(surface, data)
    with pytest.raises(ValueError, match="true rotations"):
        wrong_rotations(reconstruction(rotation=np.tile(np.eye(3), (F, 1, 1))), data)


@pytest.mark.parametrize("bad", [-1, 8])
def test_faces_are_indices_of_vertices(bad: int) -> None:
    with pytest.raises(ValueError, match=r"faces: an index lies outside 0\.\.7"):
        reconstruction(vertices=np.zeros((F, 8, 3)), faces=np.array([[0, 1, bad]]))
    with pytest.raises(ValueError, match=r"faces: an index lies outside 0\.\.7"):
        Mesh(np.zeros((8, 3)), np.array([[0, 1, bad]]))


def test_scores_need_no_truth_and_leave_out_frames_without_a_score(registry: Registry) -> None:
    true, visible = np.zeros((F, P, 2)), np.ones((F, P), dtype=bool)
    visible[0] = False
    guess = true.copy()
    guess[1, :3] = 1e6
    data = Dataset(observations(true, visible), None)
    record = score_record(
        RunRecord(RunSpec({}, "all", ("all",), {}, 0), "ok"),
        {"all": reconstruction(points_2d=guess)},
        lambda _: data,
        registry,
        registry.protocols["pck"],
    )
    score = record.scores["pck@1"]["all"]
    assert (score.frames, score.unscored) == (3, 1)
    assert score.value == pytest.approx(250 / 3)
    assert score.groups == {"all": pytest.approx(250 / 3)}
    hidden = Dataset(
        replace(data.observations, visible=visible & False, points_2d=true * np.nan), None
    )
    failed = score_record(
        record,
        {"all": reconstruction(points_2d=guess)},
        lambda _: hidden,
        registry,
        registry.protocols["pck"],
    )
    assert (failed.status, failed.error) == ("failed", "pck@1: no frame has a score")


def test_a_method_without_the_output_that_a_score_needs_is_skipped(registry: Registry) -> None:
    data = Dataset(observations(np.zeros((F, P, 2)), np.ones((F, P), dtype=bool)), None)
    record = score_record(
        RunRecord(RunSpec({}, "all", ("all",), {}, 0), "ok"),
        {"all": reconstruction()},
        lambda _: data,
        registry,
        registry.protocols["miou"],
    )
    assert record.status == "skipped"
    assert record.error == "miou@2: mask IoU needs a mesh (vertices and faces)"
    assert record.scores == {}


@pytest.mark.parametrize("order", [("miou", "pck"), ("pck", "miou")])
def test_key_points_are_scored_without_a_mesh(registry: Registry, order: tuple[str, ...]) -> None:
    data = Dataset(observations(np.zeros((F, P, 2)), np.ones((F, P), dtype=bool)), None)
    record = RunRecord(RunSpec({}, "all", ("all",), {}, 0), "ok")
    for name in order:
        record = score_record(
            record,
            {"all": reconstruction(points_2d=np.zeros((F, P, 2)))},
            lambda _: data,
            registry,
            registry.protocols[name],
        )
    assert (record.status, record.error) == ("ok", "")
    assert set(record.scores) == {"pck@1"}
