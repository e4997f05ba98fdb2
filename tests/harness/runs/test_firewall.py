"""What methods are shown of points, masks and truth, and the way back from pixels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.conftest import not_none
from tests.harness.conftest import TinyBench
from tests.harness.runs.conftest import FakeChild

from liftbench import Capabilities, GroundTruth, Images, Observations, Reconstruction, Skeleton
from liftbench.runs.firewall import show_at_fit, show_at_predict, shown_truth, to_data_unit

FRAMES, POINTS = 4, 3
PICTURED: dict[str, Any] = {
    **{"dataset": "tiny", "subsets": ["one"], "fit": "train", "evaluate": ["train"]},
    "params": {"pictures": True},
}


def seen() -> Observations:
    rng = np.random.default_rng(0)
    names = tuple("abcd")
    return Observations(
        rng.standard_normal((FRAMES, POINTS, 2)),
        np.ones((FRAMES, POINTS), dtype=np.bool_),
        np.arange(FRAMES),
        "orthographic",
        Skeleton(("a", "b", "c")),
        rng.uniform(1, 2, (FRAMES, 4)),
        Images(names, names),
        rng.uniform(0.5, 2, FRAMES),
        rng.uniform(10, 20, (FRAMES, 2)),
    )


def test_a_method_without_the_capability_sees_points_and_no_image() -> None:
    for shown in (show_at_fit, show_at_predict):
        found = shown(Capabilities(), seen())
        assert found.images is None
        np.testing.assert_array_equal(found.points_2d, seen().points_2d)


@pytest.mark.parametrize(
    "lessons", [(), ("keypoints",), ("masks",), ("keypoints", "masks"), ("masks", "keypoints")]
)
def test_a_method_learns_from_what_it_names(lessons: tuple[str, ...]) -> None:
    can = Capabilities(images=True, learns_from=lessons)  # type: ignore[arg-type]
    found = show_at_fit(can, seen())
    assert found.visible.all() == ("keypoints" in lessons)
    assert np.isfinite(found.points_2d).all() == ("keypoints" in lessons)
    assert not_none(found.images).files == not_none(seen().images).files
    assert (not_none(found.images).masks is not None) == ("masks" in lessons)
    for name in ("box", "pixel", "origin"):
        np.testing.assert_array_equal(getattr(found, name), getattr(seen(), name))
    assert found.camera == "orthographic"


def test_at_predict_images_and_boxes_are_all_that_is_left() -> None:
    can = Capabilities(images=True, learns_from=("keypoints", "masks"))
    found = show_at_predict(can, seen())
    assert np.isnan(found.points_2d).all()
    assert not found.visible.any()
    assert not_none(found.images).masks is None
    np.testing.assert_array_equal(not_none(found.box), not_none(seen().in_pixels().box))
    assert set(not_none(found.pixel)) == {1}
    assert not not_none(found.origin).any()


def test_points_are_left_to_a_method_that_is_given_them() -> None:
    found = show_at_predict(Capabilities(images=True, given_points=True), seen())
    np.testing.assert_array_equal(found.points_2d, seen().in_pixels().points_2d)
    assert found.visible.all()
    assert not_none(found.images).masks is None


@pytest.mark.parametrize("images", [{}, {"images": True, "learns_from": ("masks",)}])
def test_given_points_need_images_and_keypoints(images: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="given_points"):
        Capabilities(given_points=True, **images)


def test_a_reconstruction_returns_from_pixels_to_the_unit_of_the_data() -> None:
    data, positions = seen(), seen().in_pixels().points_2d
    depth = np.random.default_rng(1).standard_normal((FRAMES, POINTS, 1))
    points_3d = np.concatenate([positions, depth], axis=2)
    found = to_data_unit(Reconstruction(points_3d, vertices=points_3d[:, :2]), data)
    np.testing.assert_allclose(found.points_3d[..., :2], data.points_2d)
    np.testing.assert_allclose(not_none(found.points_2d), data.points_2d)
    np.testing.assert_array_equal(not_none(found.vertices), found.points_3d[:, :2])
    expected = depth[..., 0] * not_none(data.pixel)[:, None]
    np.testing.assert_allclose(found.points_3d[..., 2], expected)
    own = to_data_unit(Reconstruction(points_3d, points_2d=positions + 1), data)
    one_pixel = np.broadcast_to(not_none(data.pixel)[:, None, None], positions.shape)
    np.testing.assert_allclose(not_none(own.points_2d) - data.points_2d, one_pixel)
    with pytest.raises(ValueError, match="needs `pixel` and `origin`"):
        to_data_unit(Reconstruction(points_3d), replace(data, origin=None))


def test_true_points_that_do_not_count_are_not_shown() -> None:
    points = np.random.default_rng(0).standard_normal((2, 3, 3))
    ids = np.arange(2)
    truth = GroundTruth(points, "m", np.array(["a", "a"]), ids)
    np.testing.assert_array_equal(shown_truth(truth), points)
    mask = np.array([[True, False, True], [True, True, True]])
    shown = shown_truth(replace(truth, mask=mask))
    assert np.isnan(shown[0, 1]).all()
    np.testing.assert_array_equal(shown[mask], points[mask])


def run(bench: TinyBench, *methods: str, name: str = "small", **changes: object) -> dict[str, Any]:
    """Run methods on the pictures and return their records."""
    data = [{**PICTURED, **changes}]
    suite = bench.suite(
        name, protocol="pck", also=["e3d"], data=data, methods={method: {} for method in methods}
    )
    chosen = ",".join(methods)
    result = bench.call("run", suite, "--methods", chosen, plugins=("tiny", "pictures"))
    assert result.exit_code < 2, result.output
    return bench.records(name)


def test_points_in_the_image_can_be_copied_without_the_capability_alone(bench: TinyBench) -> None:
    records = run(bench, "copying", "copying_images")
    assert records["copying"].scores["pck@1"]["train"].value == 100
    record = records["copying_images"]
    assert record.status == "failed"
    assert "8 of 8 frames hold NaN" in record.error
    assert record.scores == {}


def test_a_reconstruction_in_pixels_is_stored_and_scored_in_the_unit_of_the_data(
    bench: TinyBench,
) -> None:
    record = run(bench, "remembering")["remembering"]
    assert record.status == "ok", record.error
    assert record.scores["pck@1"]["train"].value == 100
    stored = bench.store().read_predictions(record.spec.key)["train"]  # checks the digest too
    points_3d = np.load(bench.root / "tiny" / "one.npy")[:8]
    np.testing.assert_allclose(stored.points_3d[..., :2], points_3d[..., :2])
    np.testing.assert_allclose(not_none(stored.points_2d), points_3d[..., :2])


def test_corruption_that_would_not_reach_a_picture_method_is_no_number(
    bench: TinyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = FakeChild(monkeypatch)
    noise: dict[str, Any] = {"noise_ratio": {"ratio": 0.1}}
    record = run(bench, "remembering", corruption=noise)["remembering"]
    assert record.status == "skipped"
    assert record.error == (
        "noise_ratio: the method predicts from images, which stay clean; "
        "'stage: fit' corrupts what it learns from alone"
    )
    assert child.methods == []
    noise["noise_ratio"]["stage"] = "fit"
    run(bench, "remembering", name="fit", corruption=noise)
    assert child.methods == ["remembering"]


def test_a_supervised_method_is_shown_the_truth_of_its_frames(bench: TinyBench) -> None:
    record = run(bench, "supervised")["supervised"]
    assert record.scores["e3d@1"]["train"].value == pytest.approx(0, abs=1e-9)
    record = run(bench, "supervised", name="half", corruption={"frames": {"share": 0.5}})
    assert (record["supervised"].status, record["supervised"].error) == (
        "skipped",
        "the method learns from the true points of all frames, a corruption drops some",
    )
