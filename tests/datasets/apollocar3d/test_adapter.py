"""The ApolloCar3D adapter on a small release of the test's own, and on the real files."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from scipy.spatial.transform import Rotation

from liftbench.cameras import project
from liftbench.errors import DataMissingError, UserError
from liftbench.suites.suite import checked_params
from liftbench.types import Floats
from liftbench_datasets.apollocar3d import adapter as apollocar3d
from liftbench_datasets.apollocar3d.adapter import APOLLOCAR3D, ApolloCar3D, ApolloCar3DParams
from liftbench_datasets.apollocar3d.cameras import CAMERA_5, CAMERA_6
from liftbench_datasets.apollocar3d.cars import match_labels, read_cars
from liftbench_datasets.apollocar3d.files import (
    CAMERAS,
    camera_of,
    find_files,
    read_labels,
    read_list,
    read_poses,
)
from liftbench_datasets.apollocar3d.keypoints import (
    DIRECTIONS,
    derived_keypoints,
    read_keypoints,
)
from liftbench_datasets.apollocar3d.models import NAMES, CarModel, read_model
from liftbench_datasets.apollocar3d.skeleton import SKELETON

HALF = np.array([0.9, 0.75, 2.2])
BOX = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * HALF
FACES = [
    *([1, 2, 4], [1, 4, 3], [5, 7, 8], [5, 8, 6], [1, 5, 6], [1, 6, 2]),
    *([3, 4, 8], [3, 8, 7], [1, 3, 7], [1, 7, 5], [2, 6, 8], [2, 8, 4]),
]
# The poses turn y up, so a car that stands on its wheels is half a turn from the camera's axes.
UPRIGHT = np.pi
SEEN = {"car_id": 2, "pose": [0.0, 0.7, UPRIGHT, 1.0, 1.5, 12.0]}
FAR = {"car_id": 2, "pose": [0.0, 0.7, UPRIGHT, 1.0, 1.5, 31.0]}
BEHIND = {"car_id": 2, "pose": [0.0, 0.7, UPRIGHT, 1.0, 1.5, 1.0]}
STRAIGHT = {"car_id": 2, "pose": [0.0, 0.0, UPRIGHT, 0.0, 0.0, 12.0]}
UNKNOWN = {"car_id": 7, "pose": [0.0, 0.7, UPRIGHT, 1.0, 1.5, 12.0]}
OTHER = {"car_id": 3, "pose": [0.1, -0.6, UPRIGHT + 0.1, -2.0, 1.5, 22.0]}
IMAGES = {
    "180101_000000001_Camera_5": [SEEN, FAR, STRAIGHT],
    "180101_000000002_Camera_6": [SEEN, OTHER, UNKNOWN],
    "180101_000000003_Camera_5": [],
    "180101_000000004_Camera_5": [OTHER, BEHIND],
}
MODELS = {2: BOX, 3: BOX * [1.1, 1.2, 0.9]}


def write_model(folder: Path, car_id: int, vertices: Floats) -> Path:
    path = folder / "car_models_json" / f"{NAMES[car_id]}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"car_type": "2x", "vertices": vertices.tolist(), "faces": FACES}
    path.write_text(json.dumps(content), encoding="ascii")
    return path


def write_release(folder: Path, lists: bool = True) -> Path:
    for car_id, vertices in MODELS.items():
        write_model(folder, car_id, vertices)
    poses = folder / "train" / "car_poses"
    poses.mkdir(parents=True)
    for name, cars in IMAGES.items():
        rated = [{**car, "area": 500, "visible_rate": 1.0} for car in cars]
        (poses / f"{name}.json").write_text(json.dumps(rated), encoding="ascii")
    if lists:
        split = folder / "train" / "split"
        split.mkdir()
        first, *rest = IMAGES
        (split / "train-list.txt").write_text(f"{first}.jpg\n", encoding="ascii")
        (split / "validation-list.txt").write_text("\n".join(f"{n}.jpg" for n in rest))
    return folder


def write_images(folder: Path) -> None:
    for name in IMAGES:
        path = folder / "train" / "images" / f"{name}.jpg"
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (6, 4)).save(path)


def keypoints(car_id: int) -> Floats:
    """Return a user's points: those that would be derived, in another order."""
    return derived_keypoints(CarModel(MODELS[car_id], np.array(FACES) - 1))[::-1]


def write_keypoints(folder: Path, car_ids: tuple[int, ...] = (2, 3)) -> Path:
    path = folder / "keypoints_3d.json"
    path.write_text(json.dumps({NAMES[i]: keypoints(i).tolist() for i in car_ids}))
    return path


def placed(car: dict[str, Any], points: Floats) -> Floats:
    """Return points of a model's file in the camera's frame, by the release's formula."""
    roll, pitch, yaw = car["pose"][:3]
    cr, sr, cp, sp, cy, sy = (f(a) for a in (roll, pitch, yaw) for f in (np.cos, np.sin))
    rz = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
    ry = np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
    rx = np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]])
    return (points * [-1, -1, 1]) @ (rz @ ry @ rx).T + car["pose"][3:]


def write_labels(folder: Path, name: str, number: int, car: dict[str, Any], shown: int) -> None:
    camera = CAMERAS[name[-8:]]
    view = camera.pixels(project(placed(car, keypoints(car["car_id"]))[None], "perspective"))[0]
    place = folder / "train" / "keypoints" / name
    place.mkdir(parents=True, exist_ok=True)
    lines = [f"{i}\t{x + 2:.3f}\t{y - 1:.3f}" for i, (x, y) in enumerate(view[:shown])]
    (place / f"{name}_{number}.txt").write_text("\n".join([*lines, "60\t5\t5", ""]))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_release(tmp_path / "apollocar3d")
    return tmp_path


# --- files --------------------------------------------------------------------------------


def test_the_pose_is_the_releases_formula(root: Path) -> None:
    path = find_files(root).poses[1]
    ids, poses = read_poses(path)
    assert ids.tolist() == [2, 3, 7]
    points = np.random.default_rng(0).normal(size=(9, 3))
    expected = [placed(car, points) for car in IMAGES[path.stem]]
    np.testing.assert_allclose(poses.place(np.stack([points] * 3)), expected, atol=1e-12)


def test_an_upright_car_has_its_roof_up_and_looks_where_it_is_turned(root: Path) -> None:
    _, poses = read_poses(find_files(root).poses[0])
    np.testing.assert_allclose(poses.rotations[2], np.eye(3), atol=1e-12)


def test_cameras_are_told_by_the_names() -> None:
    assert camera_of(Path("x_Camera_5.json")) == CAMERA_5
    assert camera_of(Path("x_Camera_6.json")) == CAMERA_6
    assert (CAMERA_5.fx, CAMERA_6.cy) == (2304.54786556982, 1342.91100799715)
    with pytest.raises(UserError, match=r"Camera_9\.json: expected a name that ends in Camera_5"):
        camera_of(Path("x_Camera_9.json"))


def test_lists_name_images_with_or_without_the_ending(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("a_Camera_5.jpg\r\nimages/b_Camera_6.jpg\n\nc_Camera_5\n")
    assert read_list(path) == {"a_Camera_5", "b_Camera_6", "c_Camera_5"}


def test_labels_are_those_of_the_lines(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("0\t10.5\t20\n57\t1\t2\n\n65\t3\t4\n")
    labels = read_labels(path)
    assert labels.shape == (58, 2)
    assert labels[[0, 57]].tolist() == [[10.5, 20], [1, 2]]
    assert np.isnan(labels[1:57]).all()


@pytest.mark.parametrize(
    "text", ["66 1 2", "-1 1 2", "x 1 2", "3 1", "3 1 2 3", "3 nan 1", "3 1e999 1", "² 1 2"]
)
def test_damaged_labels_are_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "labels.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match="expected lines of an index from 0 to 65"):
        read_labels(path)


def test_a_pickled_model_is_the_same_mesh(tmp_path: Path) -> None:
    path = tmp_path / "x.pkl"
    content = {"vertices": BOX.astype(np.float32), "faces": np.array(FACES, dtype=np.int32)}
    path.write_bytes(pickle.dumps(content, protocol=2))
    model, written = read_model(path), read_model(write_model(tmp_path, 2, BOX))
    np.testing.assert_allclose(model.vertices, written.vertices, rtol=1e-6)
    np.testing.assert_array_equal(model.faces, written.faces)
    assert (model.faces.min(), model.faces.max()) == (0, 7)


class Code:
    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (Path("/tmp/liftbench_ran_code"),))  # noqa: S108


def test_a_pickled_model_runs_no_code(tmp_path: Path) -> None:
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps({"vertices": Code(), "faces": FACES}))
    with pytest.raises(UserError, match="not allowed"):
        read_model(path)
    assert not Path("/tmp/liftbench_ran_code").exists()  # noqa: S108


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"vertices": [[1, 2]]}, "vertices: expected numbers of shape (any, 3), got shape (1, 2)"),
        (
            {"vertices": [["1", "2", "3"]]},
            "vertices: expected numbers of shape (any, 3), got text",
        ),
        ({"vertices": [[1, 2, float("nan")]]}, "vertices: expected finite numbers"),
        ({"vertices": [[1, 2, 1e200]]}, "vertices: expected finite numbers up to 1e+12"),
        ({"vertices": [[1, 2, -(2**63)]]}, "vertices: expected finite numbers up to 1e+12"),
        ({"vertices": []}, "vertices: expected numbers of shape (any, 3), got shape (0)"),
        ({"vertices": (BOX * [1, 0, 1]).tolist()}, "'vertices' lie in a plane"),
        ({"faces": [[0, 1, 2]]}, "'faces' are not all within 1..8"),
        ({"faces": [[1, 2, 9]]}, "'faces' are not all within 1..8"),
        ({"faces": [[1.5, 2, 3]]}, "'faces' are not integers"),
        ({"faces": [[1, 2]]}, "faces: expected numbers of shape (any, 3), got shape (1, 2)"),
        ({"faces": [[1, 2, 10**40]]}, "faces: expected finite numbers up to 1e+12"),
    ],
)
def test_damaged_models_are_told(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    path = write_model(tmp_path, 2, BOX)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(UserError) as caught:
        read_model(path)
    assert str(path) in str(caught.value)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "car",
    [
        {"car_id": 79, "pose": [0] * 6},
        {"car_id": -1, "pose": [0] * 6},
        {"car_id": "2", "pose": [0] * 6},
        {"car_id": True, "pose": [0] * 6},
        {"car_id": 2, "pose": [0] * 5},
        {"car_id": 2, "pose": ["0"] * 6},
        {"car_id": 2, "pose": [0, 0, 0, 0, 0, float("inf")]},
        {"car_id": 2},
        [],
        7,
    ],
)
def test_damaged_poses_are_told(tmp_path: Path, car: object) -> None:
    path = tmp_path / "x_Camera_5.json"
    path.write_text(json.dumps([SEEN, car]))
    with pytest.raises(UserError, match="expected a list of cars with 'car_id' and 'pose'"):
        read_poses(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["car_id", "pose", "vertices", "faces"]), inner)
    ),
    max_leaves=12,
)
FUZZ = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@FUZZ
@given(JSON.map(json.dumps).map(str.encode) | st.binary(max_size=80))
@pytest.mark.parametrize("read", [read_poses, read_model, read_keypoints, read_labels, read_list])
def test_any_file_is_read_or_told_of_in_one_line(tmp_path: Path, read: Any, content: bytes) -> None:
    path = tmp_path / "any_Camera_5.json"
    path.write_bytes(content)
    told = ""
    try:
        read(path)
    except UserError as error:
        told = str(error)
    assert not told or told.startswith(str(path))
    assert "\n" not in told


# --- keypoints ----------------------------------------------------------------------------


def box_model(half: Floats = HALF, centre: Floats | float = 0.0) -> CarModel:
    return CarModel(BOX / HALF * half + centre, np.array(FACES) - 1)


def test_derived_keypoints_of_a_box_are_on_its_faces() -> None:
    expected = HALF * DIRECTIONS / np.abs(DIRECTIONS).max(axis=1, keepdims=True)
    np.testing.assert_allclose(derived_keypoints(box_model()), expected, atol=1e-12)


def test_derived_keypoints_follow_the_box() -> None:
    half, centre = np.array([1.0, 0.6, 2.5]), np.array([0.1, -0.2, 0.3])
    expected = derived_keypoints(box_model()) / HALF * half + centre
    np.testing.assert_allclose(derived_keypoints(box_model(half, centre)), expected, atol=1e-12)


def test_derived_keypoints_are_mirror_images() -> None:
    points = derived_keypoints(box_model())
    left, right = np.array(SKELETON.left_right).T
    np.testing.assert_allclose(points[left] * [-1, 1, 1], points[right], atol=1e-12)
    assert (points[left, 0] < 0).all()
    roof, hub = SKELETON.points.index("left_windscreen_top"), 7
    assert points[roof, 1] < 0 < points[hub, 1]
    assert points[SKELETON.points.index("left_head_lamp_inner_top"), 2] > 2


def test_seats_do_not_count_and_holes_take_the_nearest_vertex() -> None:
    shell, seat = box_model(), box_model(HALF * 0.3)
    faces = np.concatenate([shell.faces[:-2], seat.faces + 8])
    model = CarModel(np.concatenate([shell.vertices, seat.vertices]), faces)
    points, whole = derived_keypoints(model), derived_keypoints(shell)
    hole = np.isclose(whole[:, 2], HALF[2])
    assert 4 < hole.sum() < 30
    np.testing.assert_allclose(points[~hole], whole[~hole], atol=1e-12)
    cosine = DIRECTIONS[hole] @ (BOX / HALF).T
    np.testing.assert_allclose(points[hole], BOX[cosine.argmax(axis=1)])


def test_keypoints_are_those_of_the_users_file(tmp_path: Path) -> None:
    known = read_keypoints(write_keypoints(tmp_path))
    assert known.keys() == {2, 3}
    np.testing.assert_array_equal(known[3], keypoints(3))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"no-such-car": []}, "no car model is named 'no-such-car'"),
        ({}, "no model"),
        (
            {NAMES[2]: [[1, 2, 3]] * 57},
            rf"{NAMES[2]}: expected numbers of shape \(58, 3\), got shape \(57",
        ),
        ({NAMES[2]: [[1, 2, None]] * 58}, f"{NAMES[2]}: expected finite numbers"),
    ],
)
def test_damaged_keypoints_are_told(tmp_path: Path, content: object, told: str) -> None:
    path = tmp_path / "keypoints_3d.json"
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=told):
        read_keypoints(path)


# --- labels -------------------------------------------------------------------------------


def test_labels_go_to_the_cars_that_they_fit() -> None:
    rng = np.random.default_rng(3)
    seen = rng.uniform(0, 100, (4, 58, 2)) + np.array([0, 50, 300, 900])[:, None, None]
    labels = seen[[2, 0, 1]] + rng.normal(0, 2, (3, 58, 2))
    labels[rng.random((3, 58)) < 0.6] = np.nan
    cars, files = match_labels(seen, labels)
    assert dict(zip(cars.tolist(), files.tolist(), strict=True)) == {2: 0, 0: 1, 1: 2}


def test_labels_out_of_reach_are_no_cars() -> None:
    seen = np.random.default_rng(4).uniform(0, 100, (2, 58, 2))
    labels = np.stack([seen[0] + 500, np.full((58, 2), np.nan), seen[1] + 1])
    cars, files = match_labels(seen, labels)
    assert (cars.tolist(), files.tolist()) == ([1], [2])


def test_labels_out_of_reach_disturb_no_other_pair() -> None:
    shape = np.random.default_rng(5).uniform(0, 1, (58, 2))
    seen = np.stack([100 * shape, 50 * shape + [300, 0]])
    labels = np.stack([100 * shape + 1, 100 * shape - [500, 0]])
    cars, files = match_labels(seen, labels)
    assert (cars.tolist(), files.tolist()) == ([0], [0])


# --- the adapter --------------------------------------------------------------------------


@pytest.mark.parametrize("below", ["apollocar3d", "ApolloCar3D", "3d_car_instance_sample", ""])
def test_every_layout_is_found(tmp_path: Path, below: str) -> None:
    write_release(tmp_path / below)
    assert ApolloCar3D().subsets(tmp_path) == ("all",)
    assert ApolloCar3D().load(tmp_path, "all", "test").observations.frames == 3


def test_the_kept_cars_are_near_before_the_camera_and_show_enough(root: Path) -> None:
    train, test = (ApolloCar3D().load(root, "all", split) for split in ("train", "test"))
    model = derived_keypoints(read_model(find_files(root).models[2]))
    np.testing.assert_allclose(train.truth.points_3d, [placed(SEEN, model)], atol=1e-12)
    assert test.observations.sequence.tolist() == [1, 1, 3]
    assert test.truth.group.tolist() == ["10-20 m", "20-30 m", "20-30 m"]
    assert train.truth.unit == "m"
    assert train.observations.visible.sum(axis=1).min() >= 25


def test_the_points_are_perspective_views(root: Path) -> None:
    data = ApolloCar3D().load(root, "all", "test")
    seen, truth = data.observations, data.truth
    flat = truth.points_3d[..., :2] / truth.points_3d[..., 2:]
    assert seen.camera == "perspective"
    np.testing.assert_allclose(seen.points_2d[seen.visible], flat[seen.visible], atol=1e-12)
    np.testing.assert_allclose(seen.box[:, :2] + seen.box[:, 2:], flat.max(axis=1), atol=1e-12)


def test_a_pixel_is_one_of_the_camera_of_the_image(root: Path) -> None:
    focal = {"Camera_5": 2305.2, "Camera_6": 2300.9}
    for split in ("train", "test"):
        seen = ApolloCar3D().load(root, "all", split).observations
        places = find_files(root).poses
        expected = [1 / focal[places[i].stem[-8:]] for i in seen.sequence]
        np.testing.assert_allclose(seen.pixel, expected, rtol=1e-4)


def test_a_box_shows_the_faces_that_look_at_the_camera(root: Path) -> None:
    data = ApolloCar3D().load(root, "all", "train")
    eye = np.linalg.inv(placed(SEEN, np.eye(3)) - SEEN["pose"][3:]).T @ -np.array(SEEN["pose"][3:])
    points = derived_keypoints(box_model())
    axis = np.abs(points / HALF).argmax(axis=1)
    on_face = points[np.arange(58), axis]
    outside = np.sign(on_face) * eye[axis] > np.abs(on_face)
    np.testing.assert_array_equal(data.observations.visible[0], outside)


def test_without_occlusion_the_same_cars_show_all_points(root: Path) -> None:
    hidden = ApolloCar3D().load(root, "all", "test")
    shown = ApolloCar3D(occlusion=False).load(root, "all", "test")
    assert shown.observations.visible.all()
    assert not hidden.observations.visible.all()
    np.testing.assert_array_equal(shown.truth.points_3d, hidden.truth.points_3d)


def test_the_edge_of_the_image_hides(root: Path) -> None:
    path = find_files(root).poses[0]
    out = {"car_id": 2, "pose": [0.0, 0.7, UPRIGHT, -8.0, 1.5, 12.0]}
    path.write_text(json.dumps([SEEN, out]))
    data = ApolloCar3D().load(root, "all", "train")
    places = CAMERA_5.pixels(
        project(placed(out, derived_keypoints(box_model()))[None], "perspective")
    )
    assert (places[..., 0] < 0).any()
    assert data.observations.frames == 1


def test_derived_points_are_named_apart(root: Path) -> None:
    data = ApolloCar3D().load(root, "all", "train")
    names = data.observations.skeleton.points
    assert names == tuple(f"derived_{name}" for name in SKELETON.points)
    assert data.observations.skeleton.edges == SKELETON.edges
    assert ApolloCar3D().note(root, "all").startswith("derived keypoints")


def test_the_users_keypoints_are_taken_before_derived_ones(root: Path) -> None:
    write_keypoints(root / "apollocar3d")
    data = ApolloCar3D().load(root, "all", "train")
    np.testing.assert_allclose(data.truth.points_3d[0], placed(SEEN, keypoints(2)), atol=1e-12)
    assert data.observations.skeleton == SKELETON
    derived = ApolloCar3D(keypoints="derived").load(root, "all", "train")
    assert derived.observations.skeleton != SKELETON
    assert ApolloCar3D(keypoints="derived").checksum(root, "all") != ApolloCar3D().checksum(
        root, "all"
    )


def test_labels_say_what_is_visible(root: Path) -> None:
    folder = root / "apollocar3d"
    write_keypoints(folder)
    name = "180101_000000002_Camera_6"
    write_labels(folder, name, 0, OTHER, 40)
    write_labels(folder, name, 1, SEEN, 25)
    write_labels(folder, "180101_000000004_Camera_5", 0, OTHER, 24)
    data = ApolloCar3D().load(root, "all", "test")
    assert data.observations.sequence.tolist() == [1, 1]
    assert data.observations.visible.sum(axis=1).tolist() == [25, 40]
    assert data.observations.visible[0, :25].all()
    np.testing.assert_allclose(data.truth.points_3d[1], placed(OTHER, keypoints(3)), atol=1e-12)
    with pytest.raises(DataMissingError, match="no car of the 'train' split is kept"):
        ApolloCar3D().load(root, "all", "train")
    assert ApolloCar3D().note(root, "all").startswith("keypoints of the user's file, visible where")


def test_absent_keypoints_are_told_when_asked_for(root: Path) -> None:
    assert ApolloCar3D(keypoints="file").subsets(root) == ()
    with pytest.raises(DataMissingError) as caught:
        ApolloCar3D(keypoints="file").load(root, "all", "train")
    assert str(root / "apollocar3d" / "keypoints_3d.json") in str(caught.value)
    assert "data info apollocar3d" in str(caught.value)


def test_without_lists_the_first_images_are_train(tmp_path: Path) -> None:
    write_release(tmp_path, lists=False)
    train, test = (ApolloCar3D().load(tmp_path, "all", split) for split in ("train", "test"))
    assert train.observations.sequence.tolist() == [0, 1, 1]
    assert test.observations.sequence.tolist() == [3]
    assert "no lists are there" in ApolloCar3D().note(tmp_path, "all")


def test_a_list_without_its_pair_is_told(root: Path) -> None:
    (root / "apollocar3d" / "train" / "split" / "validation-list.txt").unlink()
    with pytest.raises(DataMissingError, match="a list of images, but none for 'test'"):
        ApolloCar3D().load(root, "all", "test")


def test_images_are_those_of_the_frames(root: Path) -> None:
    assert ApolloCar3D().load(root, "all", "test").observations.images is None
    write_images(root / "apollocar3d")
    images = ApolloCar3D().load(root, "all", "test").observations.images
    assert [Path(file).stem[-10:] for file in images.files] == [
        "2_Camera_6",
        "2_Camera_6",
        "4_Camera_5",
    ]
    assert images.image(0).shape == (4, 6, 3)


def test_a_second_load_does_not_parse(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ApolloCar3D().load(root, "all", "test").truth.points_3d
    monkeypatch.setattr(apollocar3d, "collect_cars", None)
    again = ApolloCar3D(occlusion=False).load(root, "all", "test").truth.points_3d
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("place", ["train/car_poses", "car_models_json", "train/split"])
def test_the_checksum_sees_every_change(root: Path, place: str) -> None:
    before = ApolloCar3D().checksum(root, "all")
    assert ApolloCar3D().checksum(root, "all") == before
    path = sorted((root / "apollocar3d" / place).iterdir())[0]
    path.write_text(path.read_text() + " ")
    assert ApolloCar3D().checksum(root, "all") != before


def test_the_note_counts_the_cars(root: Path) -> None:
    note = ApolloCar3D().note(root, "all")
    assert "4 of 8 cars in 4 images kept" in note
    assert "(1 have no keypoints as 2 of 79 models are there, 1 are beyond 30 m, 2 show" in note


def test_check_tells_of_every_part(root: Path) -> None:
    found = {finding.item: finding for finding in ApolloCar3D().check(root)}
    assert all(finding.ok for finding in found.values())
    assert found["poses"].detail == "8 cars in 4 of 5277 images"
    assert found["car models"].detail.startswith(f"2 of 79 models; without {NAMES[0]}, {NAMES[1]}")
    assert found["lists"].detail == "1 images for train, 3 images for test"
    assert found["cars"].detail == ApolloCar3D().note(root, "all")


def test_check_tells_of_damage_and_goes_on(root: Path) -> None:
    damaged = find_files(root).models[3]
    damaged.write_text(damaged.read_text()[:-5])
    found = {finding.item: finding for finding in ApolloCar3D().check(root)}
    assert not found["car models"].ok
    assert str(damaged) in found["car models"].detail
    assert found["poses"].ok


@pytest.mark.parametrize("call", ["checksum", "note", "load"])
def test_an_absent_release_names_the_path_looked_for(tmp_path: Path, call: str) -> None:
    args = (tmp_path, "all", "train") if call == "load" else (tmp_path, "all")
    with pytest.raises(DataMissingError) as caught:
        getattr(ApolloCar3D(), call)(*args)
    assert str(tmp_path / "apollocar3d" / "train" / "car_poses") in str(caught.value)
    assert ApolloCar3D().subsets(tmp_path) == ()
    assert not ApolloCar3D().check(tmp_path)[0].ok


def test_poses_without_models_are_told(root: Path) -> None:
    for path in find_files(root).models.values():
        path.unlink()
    with pytest.raises(DataMissingError, match="no car model found, looked for"):
        ApolloCar3D().load(root, "all", "train")


def test_params_are_checked() -> None:
    with pytest.raises(UserError, match="dataset 'apollocar3d': keypoints: "):
        checked_params("dataset 'apollocar3d'", APOLLOCAR3D.params, {"keypoints": "drawn"})
    with pytest.raises(ValueError, match="keypoints: expected one of any, file, derived"):
        ApolloCar3D(keypoints="drawn")


def test_the_adapter_is_made_from_its_params(root: Path) -> None:
    made = APOLLOCAR3D.make(**vars(APOLLOCAR3D.params()))
    assert made.params == ApolloCar3DParams(keypoints="any", occlusion=True)
    with pytest.raises(UserError, match="unknown subset"):
        made.load(root, "cars", "train")
    with pytest.raises(UserError, match="unknown split"):
        made.load(root, "all", "unseen")


# --- the real files -----------------------------------------------------------------------


@pytest.fixture(scope="session")
def real(shared_data: Path) -> Path:
    if not (shared_data / "apollocar3d").is_dir():
        pytest.skip(f"no ApolloCar3D files in {shared_data}")
    return shared_data


def test_every_real_car_is_wholly_on_its_image(real: Path) -> None:
    files = find_files(real)
    cars = read_cars(files)
    assert (len(files.poses), len(cars.image), len(files.models)) == (57, 251, 40)
    centres = project(cars.poses.translations[:, None], "perspective")
    assert CAMERA_5.holds(centres).all()
    models = {i: read_model(files.models[i]) for i in set(cars.car_id.tolist()) & set(files.models)}
    inside = [
        CAMERA_5.holds(project((models[i].vertices @ turn.T + shift)[None], "perspective")).all()
        for i, turn, shift in zip(
            cars.car_id.tolist(), cars.poses.rotations, cars.poses.translations, strict=True
        )
        if i in models
    ]
    assert (sum(inside), len(inside)) == (206, 206)


def test_real_cars_cover_the_area_that_the_release_measured(real: Path) -> None:
    files = find_files(real)
    cars, rows = read_cars(files), [c for p in files.poses for c in json.loads(p.read_text())]
    shares = []
    for n in range(0, len(rows), 9):
        car_id, area = rows[n]["car_id"], rows[n]["area"]
        if rows[n]["visible_rate"] == 1 and area > 400 and car_id in files.models:
            model = read_model(files.models[car_id])
            points = model.vertices @ cars.poses.rotations[n].T + cars.poses.translations[n]
            view = CAMERA_5.pixels(project(points[None], "perspective"))[0]
            shares.append(drawn_area(view, model.faces) / area)
    assert len(shares) >= 10
    assert 0.97 < np.median(shares) < 1.03


def drawn_area(view: Floats, faces: np.ndarray[Any, Any]) -> int:
    corner = view.min(axis=0) - 1
    size = np.ceil(np.ptp(view, axis=0) + 3).astype(int)
    image = Image.new("1", tuple(size.tolist()))
    draw = ImageDraw.Draw(image)
    for face in view[faces] - corner:
        draw.polygon([tuple(point) for point in face.tolist()], fill=1)
    return int(np.asarray(image).sum())


def test_the_real_cars_stand_upright_and_look_along_the_road(real: Path) -> None:
    cars = read_cars(find_files(real))
    down = cars.poses.rotations[:, :, 1]
    assert (down[:, 1] > 0.9).all()
    assert (Rotation.from_matrix(cars.poses.rotations).magnitude() < 0.6).mean() > 0.7


def test_the_real_extract(real: Path) -> None:
    adapter = ApolloCar3D(keypoints="derived")
    train, test = (adapter.load(real, "all", split) for split in ("train", "test"))
    assert (train.observations.frames, test.observations.frames) == (19, 5)
    for data in (train, test):
        points = data.truth.points_3d
        roof, hub = SKELETON.points.index("left_windscreen_top"), 7
        assert (points[:, roof, 1] < points[:, hub, 1]).all()
        assert (np.ptp(points, axis=1) < 6).all()
    assert "24 of 251 cars in 57 images kept" in adapter.note(real, "all")
    assert all(finding.ok for finding in adapter.check(real))
