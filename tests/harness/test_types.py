"""The frozen dataclasses refuse every malformed input."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.conftest import not_none

from liftbench.cameras import project
from liftbench.images import Images
from liftbench.types import (
    CAMERAS,
    Dataset,
    Floats,
    GroundTruth,
    Mesh,
    Observations,
    Reconstruction,
    Skeleton,
    Template,
)

FRAMES, POINTS = 4, 3
SKELETON = Skeleton(("root", "left", "right"), ((0, 1), (0, 2)), ((1, 2),))


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def observation_fields(**changes: object) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "points_2d": rng().standard_normal((FRAMES, POINTS, 2)),
        "visible": np.ones((FRAMES, POINTS), dtype=np.bool_),
        "sequence": np.array([1, 1, 2, 2]),
        "camera": "orthographic",
        "skeleton": SKELETON,
        "box": np.ones((FRAMES, 4)),
        "pixel": np.full(FRAMES, 0.5),
        "origin": np.arange(2.0 * FRAMES).reshape(FRAMES, 2),
    }
    return fields | changes


def truth_fields(**changes: object) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "points_3d": rng().standard_normal((FRAMES, POINTS, 3)),
        "unit": "m",
        "group": np.array(["walk"] * FRAMES),
        "sequence": np.array([1, 1, 2, 2]),
        "mask": np.ones((FRAMES, POINTS), dtype=np.bool_),
        "rotation": np.tile(np.eye(3), (FRAMES, 1, 1)),
    }
    return fields | changes


def reconstruction_fields(**changes: object) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "points_3d": rng().standard_normal((FRAMES, POINTS, 3)),
        "rotation": np.tile(np.eye(3), (FRAMES, 1, 1)),
        "canonical_3d": rng().standard_normal((FRAMES, POINTS, 3)),
        "points_2d": rng().standard_normal((FRAMES, POINTS, 2)),
        "visible": np.ones((FRAMES, POINTS), dtype=np.bool_),
    }
    return fields | changes


BUILDERS = {
    Observations: observation_fields,
    GroundTruth: truth_fields,
    Reconstruction: reconstruction_fields,
}
ARRAY_FIELDS = [
    (kind, name)
    for kind, fields in BUILDERS.items()
    for name, value in fields().items()
    if isinstance(value, np.ndarray)
]
FLOAT_FIELDS = [(k, n) for k, n in ARRAY_FIELDS if BUILDERS[k]()[n].dtype == np.float64]
OPTIONAL = [
    (Observations, "box"),
    (Observations, "pixel"),
    (GroundTruth, "mask"),
    (GroundTruth, "rotation"),
    *((Reconstruction, n) for n in ("rotation", "canonical_3d", "points_2d", "visible")),
]


def label(value: object) -> str:
    return value.__name__ if isinstance(value, type) else str(value)


every_array = pytest.mark.parametrize(("kind", "name"), ARRAY_FIELDS, ids=label)


@pytest.mark.parametrize("kind", BUILDERS, ids=label)
def test_valid_fields_are_kept(kind: type) -> None:
    fields = BUILDERS[kind]()
    built = kind(**fields)
    for name, value in fields.items():
        np.testing.assert_array_equal(getattr(built, name), value)


@pytest.mark.parametrize(("kind", "name"), OPTIONAL, ids=label)
def test_optional_fields_may_be_none(kind: type, name: str) -> None:
    assert getattr(kind(**BUILDERS[kind](**{name: None})), name) is None


@every_array
def test_arrays_are_read_only(kind: type, name: str) -> None:
    array = getattr(kind(**BUILDERS[kind]()), name)
    with pytest.raises(ValueError, match="read-only"):
        array[...] = array


@every_array
def test_the_callers_array_is_neither_shared_nor_frozen(kind: type, name: str) -> None:
    fields = BUILDERS[kind]()
    built = kind(**fields)
    assert not np.shares_memory(fields[name], getattr(built, name))
    fields[name][...] = fields[name]


@every_array
def test_a_read_only_view_of_a_writable_array_is_not_shared(kind: type, name: str) -> None:
    fields = BUILDERS[kind]()
    view = fields[name].view()
    view.flags.writeable = False
    assert not np.shares_memory(fields[name], getattr(kind(**(fields | {name: view})), name))


def test_read_only_arrays_are_shared_without_a_copy() -> None:
    truth = GroundTruth(**truth_fields())
    assert GroundTruth(**truth_fields(points_3d=truth.points_3d)).points_3d is truth.points_3d


@every_array
def test_a_missing_axis_is_refused(kind: type, name: str) -> None:
    fields = BUILDERS[kind]()
    with pytest.raises(ValueError, match=rf"{kind.__name__}\.{name}: expected shape"):
        kind(**(fields | {name: fields[name][0]}))


@pytest.mark.parametrize(
    ("kind", "name"),
    [(k, n) for k, n in ARRAY_FIELDS if n != "points_3d" and (k, n) != (Observations, "points_2d")],
    ids=label,
)
def test_lengths_must_agree(kind: type, name: str) -> None:
    fields = BUILDERS[kind]()
    with pytest.raises(ValueError, match=rf"{name}: expected shape \({FRAMES}"):
        kind(**(fields | {name: fields[name][:-1]}))


@every_array
def test_a_wrong_last_axis_is_refused(kind: type, name: str) -> None:
    fields = BUILDERS[kind]()
    wide = np.repeat(fields[name], 2, axis=-1)
    with pytest.raises(ValueError, match="expected shape"):
        kind(**(fields | {name: wide}))


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (Observations, "visible"),
        (GroundTruth, "mask"),
        (Reconstruction, "canonical_3d"),
        (Reconstruction, "points_2d"),
        (Reconstruction, "visible"),
    ],
    ids=label,
)
def test_point_counts_must_agree(kind: type, name: str) -> None:
    fields = BUILDERS[kind]()
    with pytest.raises(ValueError, match=rf"{name}: expected shape \({FRAMES}, {POINTS}"):
        kind(**(fields | {name: fields[name][:, :-1]}))


def test_observations_have_the_points_of_their_skeleton() -> None:
    with pytest.raises(ValueError, match=r"points_2d: expected shape \(any, 2, 2\)"):
        Observations(**observation_fields(skeleton=Skeleton(("a", "b"))))


@every_array
def test_a_wrong_dtype_is_refused(kind: type, name: str) -> None:
    fields = BUILDERS[kind]()
    wrong = fields[name].astype(np.complex128) if fields[name].dtype.kind != "U" else np.arange(4)
    with pytest.raises(TypeError, match=rf"{kind.__name__}\.{name}: expected .* values, got"):
        kind(**(fields | {name: wrong}))


@pytest.mark.parametrize(("kind", "name"), FLOAT_FIELDS, ids=label)
@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.uint8])
def test_floats_are_widened(kind: type, name: str, dtype: type) -> None:
    value: NDArray[Any] = np.ones_like(BUILDERS[kind]()[name], dtype=dtype)
    built = getattr(kind(**BUILDERS[kind](**{name: value})), name)
    assert built.dtype == np.float64
    assert not built.flags.writeable


@pytest.mark.parametrize(
    ("kind", "name", "dtype"),
    [
        (Observations, "visible", np.int64),
        (Observations, "sequence", np.float64),
        (Observations, "points_2d", np.bool_),
        (GroundTruth, "mask", np.float64),
        (GroundTruth, "group", object),
        (GroundTruth, "points_3d", object),
        (Reconstruction, "visible", np.float64),
    ],
    ids=label,
)
def test_values_are_never_narrowed(kind: type, name: str, dtype: type) -> None:
    fields = BUILDERS[kind]()
    with pytest.raises(TypeError, match=name):
        kind(**(fields | {name: fields[name].astype(dtype)}))


@pytest.mark.parametrize(
    ("kind", "name"), [f for f in FLOAT_FIELDS if f != (Observations, "points_2d")], ids=label
)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_must_be_finite(kind: type, name: str, bad: float) -> None:
    fields = BUILDERS[kind]()
    fields[name][2:].flat[-1] = bad
    with pytest.raises(
        ValueError, match=rf"{kind.__name__}\.{name}: 1 of 4 frames .* first frame 3"
    ):
        kind(**fields)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_visible_point_must_be_finite(bad: float) -> None:
    fields = observation_fields()
    fields["points_2d"][1, 2, 0] = bad
    with pytest.raises(ValueError, match="visible points must be finite"):
        Observations(**fields)


@pytest.mark.parametrize("shown", [(0.0, 0.0), (np.nan, 1.0), (1.0, np.nan), (np.inf, np.inf)])
def test_a_hidden_point_must_be_nan(shown: tuple[float, float]) -> None:
    fields = observation_fields()
    fields["visible"][1, 2] = False
    fields["points_2d"][1, 2] = shown
    with pytest.raises(ValueError, match="hidden points NaN"):
        Observations(**fields)


def test_a_hidden_nan_point_is_accepted() -> None:
    fields = observation_fields()
    fields["visible"][1, 2] = False
    fields["points_2d"][1, 2] = np.nan
    assert Observations(**fields).frames == FRAMES


def test_only_known_cameras() -> None:
    for camera in CAMERAS:
        assert Observations(**observation_fields(camera=camera)).camera == camera
    with pytest.raises(ValueError, match=r"Observations\.camera: .*'fisheye'"):
        Observations(**observation_fields(camera="fisheye"))


@pytest.mark.parametrize("kind", BUILDERS, ids=label)
def test_fields_cannot_be_replaced(kind: type) -> None:
    built = kind(**BUILDERS[kind]())
    with pytest.raises(FrozenInstanceError):
        built.points_2d = None
    with pytest.raises(FrozenInstanceError):
        Dataset(Observations(**observation_fields()), GroundTruth(**truth_fields())).truth = built  # type: ignore[misc]


def test_skeleton_refuses_repeated_names() -> None:
    with pytest.raises(ValueError, match="names repeat"):
        Skeleton(("a", "b", "a"))


@pytest.mark.parametrize(
    "fields",
    [{"edges": ((0, 2),)}, {"edges": ((-1, 0),)}, {"left_right": ((0, 2),)}, {"root": 2}],
)
def test_skeleton_refuses_an_index_outside(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"outside 0\.\.1"):
        Skeleton(("a", "b"), **fields)


def test_skeleton_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        SKELETON.root = 1  # type: ignore[misc]


def test_dataset_takes_observations_and_truth_that_agree() -> None:
    truth = GroundTruth(**truth_fields())
    seen = Observations(
        **observation_fields(points_2d=project(truth.points_3d, "orthographic"), box=None)
    )
    assert Dataset(seen, truth).truth is truth


def test_dataset_refuses_other_counts() -> None:
    truth = truth_fields(points_3d=np.zeros((FRAMES, POINTS + 1, 3)), mask=None)
    with pytest.raises(ValueError, match=r"Dataset: observations are \(4, 3\).*truth is \(4, 4\)"):
        Dataset(Observations(**observation_fields()), GroundTruth(**truth))


def test_dataset_refuses_other_sequences() -> None:
    truth = GroundTruth(**truth_fields(sequence=np.array([1, 2, 2, 2])))
    with pytest.raises(ValueError, match="disagree on `sequence`"):
        Dataset(Observations(**observation_fields()), truth)


def test_a_pixel_has_a_size() -> None:
    with pytest.raises(ValueError, match="expected sizes above 0"):
        Observations(**observation_fields(pixel=np.zeros(FRAMES)))


def test_points_and_boxes_in_pixels_lie_where_the_image_shows_them() -> None:
    fields = observation_fields()
    seen = Observations(**fields)
    found = seen.in_pixels()
    pixel, origin = fields["pixel"], fields["origin"]
    for frame in range(FRAMES):
        expected = seen.points_2d[frame] / pixel[frame] + origin[frame]
        np.testing.assert_allclose(found.points_2d[frame], expected)
        x, y, width, height = fields["box"][frame] / pixel[frame]
        box = [x + origin[frame, 0], y + origin[frame, 1], width, height]
        np.testing.assert_allclose(not_none(found.box)[frame], box)
    assert found.camera == "weak_perspective"
    np.testing.assert_array_equal(found.visible, seen.visible)
    again = found.in_pixels()  # positions in pixels stay where they are
    np.testing.assert_array_equal(again.points_2d, found.points_2d)
    np.testing.assert_array_equal(not_none(again.box), not_none(found.box))


@pytest.mark.parametrize("absent", ["origin", "pixel"])
def test_without_a_map_nothing_is_in_pixels(absent: str) -> None:
    with pytest.raises(ValueError, match="needs `pixel` and `origin`"):
        Observations(**observation_fields(**{absent: None})).in_pixels()


def test_all_fields_of_the_taken_frames_are_kept() -> None:
    fields = observation_fields(images=Images(tuple("abcd"), tuple("efgh")))
    taken = Observations(**fields).take(np.array([3, 1]))
    for name in ("points_2d", "visible", "sequence", "box", "pixel", "origin"):
        np.testing.assert_array_equal(getattr(taken, name), fields[name][[3, 1]])
    assert taken.images == Images(("d", "b"), ("h", "f"))
    absent = dict.fromkeys(("box", "pixel", "origin"))
    alone = Observations(**observation_fields(**absent)).take(np.array([0]))
    assert (alone.frames, alone.box, alone.pixel, alone.origin) == (1, None, None, None)


def test_a_dataset_takes_frames_of_observations_and_truth_alike() -> None:
    fields = truth_fields()
    fields["rotation"] = np.stack([np.eye(3) * (i + 1) for i in range(FRAMES)])
    truth = GroundTruth(**fields)
    seen = Observations(
        **observation_fields(points_2d=project(truth.points_3d, "orthographic"), box=None)
    )
    taken = Dataset(seen, truth).take(np.array([3, 1]))
    found = not_none(taken.truth)
    for name in ("points_3d", "group", "sequence", "mask", "rotation"):
        np.testing.assert_array_equal(getattr(found, name), getattr(truth, name)[[3, 1]])
    assert (found.unit, found.groups) == (truth.unit, truth.groups)
    np.testing.assert_array_equal(taken.observations.points_2d, seen.points_2d[[3, 1]])
    assert Dataset(seen, None).take(np.array([0])).truth is None


def template(**changes: Any) -> Template:
    """Return a tetrahedron on which two points lie, one of them in the middle of an edge."""
    given = {"points": np.array([[1.0, 0, 0, 0], [0, 0.5, 0.5, 0]]), **changes}
    faces = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]])
    return Template(Mesh(np.vstack([np.zeros(3), np.eye(3)]), faces), **given)


def test_points_lie_on_the_template() -> None:
    np.testing.assert_array_equal(template().points_3d, [[0, 0, 0], [0.5, 0.5, 0]])


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.ones((2, 3)), "points"),
        (np.full((2, 4), 0.5), "Template.points: the weights of a point must have the sum 1"),
        (np.full((2, 4), np.nan), "points"),
    ],
)
def test_weights_of_points_are_checked(points: Floats, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        template(points=points)


def test_a_template_has_the_points_of_the_skeleton() -> None:
    with pytest.raises(ValueError, match=r"Observations\.template: expected weights of"):
        Observations(**observation_fields(template=template(points=np.ones((1, 4)) / 4)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vertices": None}, "expected one of each vertex of a surface"),
        ({"vertices": np.zeros((FRAMES, 6, 3))}, "expected one of each vertex of a surface"),
        ({"colours": np.full((FRAMES, 5, 3), 255.0)}, "expected numbers from 0 to 1"),
        ({"colours": np.full((FRAMES, 5, 3), -0.1)}, "expected numbers from 0 to 1"),
    ],
)
def test_every_vertex_has_a_colour(changes: dict[str, Any], message: str) -> None:
    fields = reconstruction_fields(
        vertices=np.zeros((FRAMES, 5, 3)), colours=np.ones((FRAMES, 5, 3))
    )
    assert Reconstruction(**fields).colours is not None
    with pytest.raises(ValueError, match=rf"Reconstruction\.colours: {message}"):
        Reconstruction(**(fields | changes))
