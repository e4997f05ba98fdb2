"""The PASCAL3D+ adapter on a small release of the test's own, and on the real CAD models."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from scipy.io import savemat
from scipy.ndimage import binary_dilation

from liftbench.cameras import random_rotations
from liftbench.cli import main
from liftbench.errors import DataMissingError, UserError
from liftbench.protocols.view_metrics import covered, volume_overlap
from liftbench.seeds import named_rng
from liftbench.suites.suite import checked_params
from liftbench.types import Dataset, Floats, Reconstruction
from liftbench_datasets.pascal3d.adapter import PASCAL3D, Pascal3d, Pascal3dParams
from liftbench_datasets.pascal3d.cad import read_cad
from liftbench_datasets.pascal3d.categories import CATEGORIES, POINTS, columns
from liftbench_datasets.pascal3d.detections import read_detections
from liftbench_datasets.pascal3d.geometry import Viewpoints, camera_points, perspective
from liftbench_datasets.pascal3d.objects import Objects, read_objects
from liftbench_datasets.pascal3d.views import placed

CAR, BUS = len(POINTS["car"]), len(POINTS["bus"])
SEEN, SELF_HIDDEN = 1, 2
SIDES = ("left", "right")
VIEW = {
    "azimuth": 40.0,
    "elevation": 12.0,
    "theta": -4.0,
    "distance": 5.0,
    "focal": 1.0,
    "viewport": 3000.0,
    "px": 260.0,
    "py": 190.0,
}
EMPTY = np.zeros((0, 0))
VOC_LISTS = "PASCAL/VOCdevkit/VOC2012/ImageSets/Main"


# --- files in the official format -----------------------------------------------------------


def struct(rows: list[dict[str, Any]]) -> NDArray[Any]:
    """Return a struct array as savemat writes it."""
    out = np.empty((1, len(rows)), dtype=[(name, object) for name in rows[0]])
    for i, row in enumerate(rows):
        out[0, i] = tuple(row.values())
    return out


def models_of(category: str, count: int) -> Floats:
    return named_rng("cad", category).uniform(-0.35, 0.35, (count, len(POINTS[category]), 3))


def write_cad(folder: Path, category: str, models: Floats, **changes: Any) -> None:
    """Write models; each has a surface of the tetrahedra on its first four known keypoints."""
    rows = [
        {
            "vertices": model[~np.isnan(model).any(axis=1)][: 4 + number],
            "faces": 1 + np.array([[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3 + number]]),
            **changes,
            "pnames": np.array(POINTS[category], dtype=object)[None],
            **{
                name: EMPTY if np.isnan(point).any() else point[None]
                for name, point in zip(POINTS[category], model, strict=True)
            },
        }
        for number, model in enumerate(models)
    ]
    (folder / "CAD").mkdir(parents=True, exist_ok=True)
    savemat(folder / "CAD" / f"{category}.mat", {category: struct(rows)})


def labelled(category: str, model: int = 1, hidden: tuple[int, ...] = (), **changes: Any) -> dict:
    """Return an object; `changes` are those of the viewpoint and of the fields."""
    status = [SELF_HIDDEN if i in hidden else SEEN for i in range(len(POINTS[category]))]
    item = {
        "class": category,
        "bbox": np.array([-4000.0, -4000.0, 5000.0, 5000.0]),
        "truncated": 0.0,
        "occluded": 0.0,
        "difficult": 0.0,
        "cad_index": float(model),
        "anchors": {
            name: {"location": EMPTY, "status": float(s)}
            for name, s in zip(POINTS[category], status, strict=True)
        },
        "viewpoint": VIEW | {k: v for k, v in changes.items() if k in VIEW},
    }
    return item | {k: v for k, v in changes.items() if k in item}


def person() -> dict[str, Any]:
    return labelled("car", cad_index=EMPTY, anchors=EMPTY, viewpoint=EMPTY) | {"class": "person"}


def write_image(folder: Path, image: str, objects: list[dict[str, Any]]) -> Path:
    path = folder / "Annotations" / f"{image}.mat"
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, {"record": {"filename": "x.jpg", "objects": struct(objects)}})
    return path


def write_list(folder: Path, name: str, lines: list[str]) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


def write_release(folder: Path) -> Path:
    """Write cars and buses: four images of cars, two of them of VOC, and one of a bus."""
    write_cad(folder, "car", models_of("car", 3))
    lacking = models_of("bus", 2)
    lacking[1, 4:6] = np.nan
    write_cad(folder, "bus", lacking)
    write_image(folder, "car_imagenet/n01_1", [labelled("car", 1), labelled("car", 2, (0, 3))])
    write_image(folder, "car_imagenet/n01_2", [labelled("car", 3, azimuth=200.0)])
    write_image(folder, "car_pascal/2008_000001", [person(), labelled("car", 2, distance=3.0)])
    write_image(folder, "car_pascal/2008_000002", [labelled("bus"), labelled("car", 1, (5,))])
    write_image(folder, "bus_pascal/2008_000002", [labelled("bus", 2, (7,)), labelled("car")])
    for source, part, category, names in (
        ("imagenet", "train", "car", ["n01_1"]),
        ("imagenet", "val", "car", ["n01_2"]),
        ("imagenet", "train", "bus", []),
        ("imagenet", "val", "bus", []),
        ("pascal", "train", "car", ["2008_000001  1", "2008_000009 -1"]),
        ("pascal", "val", "car", ["2008_000002  1"]),
        ("pascal", "train", "bus", ["2008_000001 -1"]),
        ("pascal", "val", "bus", ["2008_000002  1", "2008_000009 -1"]),
    ):
        imagenet = f"Image_sets/{category}_imagenet_{part}.txt"
        voc = f"{VOC_LISTS}/{category}_{part}.txt"
        write_list(folder, imagenet if source == "imagenet" else voc, names)
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_release(tmp_path / "pascal3d")
    return tmp_path


def images(data: Dataset) -> list[str]:
    assert data.observations.images is not None
    return ["/".join(Path(file).parts[-2:]) for file in data.observations.images.files]


def test_meshes_are_those_of_the_models_and_read_when_asked_for(root: Path) -> None:
    models = models_of("car", 3)
    data = Pascal3d().load(root, "all", "train")
    truth = data.truth
    assert len(truth.meshes) == 3 + 2
    assert truth.group.tolist() == ["car"] * 3
    assert truth.mesh.tolist() == [0, 1, 1]
    assert truth.meshes[1] is truth.meshes[1]
    for number in range(3):
        mesh = truth.meshes[number]
        np.testing.assert_allclose(mesh.vertices, models[number, : 4 + number])
        assert mesh.faces[3].tolist() == [1, 2, 3 + number]
    test = Pascal3d().load(root, "all", "test").truth
    assert dict(zip(test.group, test.mesh, strict=True)) == {"car": 0, "bus": 4}
    assert len(truth.meshes[4].vertices) == 5
    random = Pascal3d(views="random", random_views=20).load(root, "all", "all").truth
    assert random.mesh.tolist() == [i % 3 for i in range(20)] + [3 + i % 2 for i in range(20)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"faces": np.array([[0, 1, 2]])}, "faces of model 1: expected vertices from 1 to 4"),
        ({"faces": np.array([[1, 2, 7]])}, "faces of model 1: expected vertices from 1 to 4"),
        ({"faces": np.array([[1.5, 2, 3]])}, "faces of model 1: expected vertices from 1 to 4"),
        (
            {"faces": np.array([[1, 2, 3, 4]])},
            r"faces of model 1: .* \(any, 3\), got shape \(1, 4\)",
        ),
        ({"vertices": np.full((4, 3), np.nan)}, "vertices of model 1: expected finite numbers"),
        ({"vertices": np.full((4, 3), 11.0)}, "vertices of model 1: expected numbers of at most"),
        ({"vertices": EMPTY}, r"vertices of model 1: .*, got shape \(1, 0\)"),
        ({"vertices": "none"}, "vertices of model 1: expected numbers of shape .*, got <U4"),
    ],
)
def test_damaged_surfaces_are_told_when_they_are_asked_for(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    write_cad(tmp_path / "pascal3d", "car", models_of("car", 2), **changes)
    truth = Pascal3d(views="random", random_views=20).load(tmp_path, "car", "all").truth
    with pytest.raises(UserError, match=message) as told:
        truth.meshes[0]
    assert str(tmp_path / "pascal3d" / "CAD" / "car.mat") in str(told.value)
    assert "\n" not in str(told.value)
    failed = [f.detail for f in Pascal3d().check(tmp_path) if not f.ok]
    assert failed == [str(told.value)]


def expected_pixels(model: Floats, **changes: float) -> Floats:
    views = Viewpoints(**{k: np.array([v]) for k, v in (VIEW | changes).items()})
    return perspective(camera_points(model[None], views), views)[0]


# --- where files are ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "below", ["pascal3d", "", "PASCAL3D+_release1.1", "pascal3d/PASCAL3D+_release1.1"]
)
def test_every_layout_is_found(tmp_path: Path, below: str) -> None:
    write_release(tmp_path / below)
    assert Pascal3d().subsets(tmp_path) == ("all", "car", "bus")
    assert Pascal3d(categories=8).subsets(tmp_path) == ("bus", "car")
    assert Pascal3d().load(tmp_path, "car", "train").observations.frames == 3


def test_models_without_annotations_are_listed_as_a_part(tmp_path: Path) -> None:
    write_cad(tmp_path / "pascal3d", "bus", models_of("bus", 2))
    for words in (["list"], ["info", "pascal3d"]):
        result = CliRunner().invoke(main, ["data", *words, "--data-root", str(tmp_path)])
        told = " ".join(result.stdout.split())
        assert "partial: CAD models only, set views: random all, bus" in told
    assert all(finding.ok for finding in Pascal3d().check(tmp_path))
    write_release(tmp_path / "pascal3d")
    listed = CliRunner().invoke(main, ["data", "list", "--data-root", str(tmp_path)]).stdout
    assert "pascal3d found all, car, bus" in " ".join(listed.split())


def test_an_empty_root_has_no_subsets_and_says_what_was_looked_for(tmp_path: Path) -> None:
    assert Pascal3d().subsets(tmp_path) == ()
    with pytest.raises(DataMissingError, match=r"CAD/<category>\.mat in .*pascal3d; see 'liftb"):
        Pascal3d().load(tmp_path, "car", "train")
    (finding,) = Pascal3d().check(tmp_path)
    assert not finding.ok


def test_absent_parts_are_named(root: Path) -> None:
    with pytest.raises(DataMissingError, match=r"CAD/sofa\.mat not found; see 'liftbench data"):
        Pascal3d().load(root, "sofa", "train")
    shutil.rmtree(root / "pascal3d" / "Annotations")
    assert Pascal3d().subsets(root) == ()
    assert Pascal3d(views="random").subsets(root) == ("all", "car", "bus")
    with pytest.raises(DataMissingError, match=r"no annotations of 'car'.*set 'views: random'"):
        Pascal3d().load(root, "car", "train")


def test_an_absent_list_is_named(root: Path) -> None:
    path = root / "pascal3d" / VOC_LISTS / "car_val.txt"
    path.unlink()
    with pytest.raises(DataMissingError, match=r"car_val\.txt: not found, .*pascal images"):
        Pascal3d().load(root, "car", "test")
    assert images(Pascal3d(test_images="imagenet").load(root, "car", "test"))


def test_unknown_names_are_told(root: Path) -> None:
    with pytest.raises(UserError, match="did you mean 'car'"):
        Pascal3d().load(root, "cars", "train")
    with pytest.raises(UserError, match="unknown subset"):
        Pascal3d(categories=8).load(root, "all", "train")
    with pytest.raises(UserError, match="annotated views have the splits train, test, all, not"):
        Pascal3d().load(root, "car", "unseen")
    with pytest.raises(UserError, match="random views have the splits train, unseen, all, not"):
        Pascal3d(views="random").load(root, "car", "test")


# --- annotated views ------------------------------------------------------------------------


def test_splits_are_the_lists(root: Path) -> None:
    train = ["car_imagenet/n01_1.JPEG"] * 2 + ["car_pascal/2008_000001.jpg"]
    assert images(Pascal3d().load(root, "car", "train")) == train
    assert images(Pascal3d().load(root, "car", "test")) == ["car_pascal/2008_000002.jpg"]
    both = Pascal3d(test_images="all").load(root, "car", "all")
    assert sorted(images(both)) == sorted(
        [*train, "car_imagenet/n01_2.JPEG", "car_pascal/2008_000002.jpg"]
    )
    assert images(Pascal3d(train_images="pascal").load(root, "car", "train")) == train[2:]


def test_objects_of_one_image_are_one_sequence(root: Path) -> None:
    train = Pascal3d().load(root, "car", "train").observations.sequence
    assert train[0] == train[1] != train[2]


def test_points_are_the_projected_models(root: Path) -> None:
    data = Pascal3d().load(root, "car", "train")
    models, truth = models_of("car", 3), data.truth
    assert truth.unit == "px"
    assert set(truth.group.tolist()) == {"car"}
    for frame, (model, distance) in enumerate(((0, 5.0), (1, 5.0), (1, 3.0))):
        pixels = expected_pixels(models[model], distance=distance)
        flat, made = truth.points_3d[frame, :, :2], truth.points_3d[frame]
        np.testing.assert_allclose(flat.mean(axis=0), pixels.mean(axis=0))
        assert np.abs(flat - pixels).max() < 0.2 * np.ptp(pixels, axis=0).max()
        gaps, own = (np.linalg.norm(p[:, None] - p[None], axis=2) for p in (made, models[model]))
        ratio = gaps[own > 0] / own[own > 0]
        np.testing.assert_allclose(ratio, ratio[0])
    seen = data.observations
    shown = seen.points_2d[seen.visible]
    np.testing.assert_array_equal(shown, truth.points_3d[..., :2][seen.visible])


def test_points_hide_as_annotated_and_still_count(root: Path) -> None:
    data = Pascal3d().load(root, "car", "train")
    hidden = [np.flatnonzero(~row).tolist() for row in data.observations.visible]
    assert hidden == [[], [0, 3], []]
    assert data.truth.mask.all()
    assert Pascal3d(missing=False).load(root, "car", "train").observations.visible.all()


def test_keypoints_that_a_model_lacks_hide_and_do_not_count(root: Path) -> None:
    data = Pascal3d().load(root, "bus", "test")
    assert np.flatnonzero(~data.truth.mask[0]).tolist() == [4, 5]
    assert np.flatnonzero(~data.observations.visible[0]).tolist() == [4, 5, 7]
    with pytest.raises(DataMissingError, match="no object of 'bus' is left in 'test'"):
        Pascal3d(missing=False).load(root, "bus", "test")


def test_points_outside_the_grown_box_hide(root: Path) -> None:
    whole = Pascal3d().load(root, "car", "test").truth.points_3d[0, :, :2]
    low, high = whole.min(axis=0), whole.max(axis=0)
    side = high - low
    rightmost, second = np.sort(whole[:, 0])[-1:-3:-1]
    for edge, hides in ((rightmost - 0.01, False), ((rightmost + second) / 2, True)):
        width = (edge - low[0]) / 1.1  # grown by a tenth at the right, the box ends at the edge
        box = np.array([low[0], low[1] - side[1], low[0] + width, high[1] + side[1]])
        item = labelled("car", 1, bbox=box)
        write_image(root / "pascal3d", "car_pascal/2008_000002", [item])
        made = Pascal3d().load(root, "car", "test")
        expected = whole[:, 0] <= edge if hides else whole[:, 0] < rightmost
        np.testing.assert_array_equal(made.observations.visible[0], expected)
        np.testing.assert_allclose(made.observations.box[0], [*box[:2], *(box[2:] - box[:2])])


@pytest.mark.parametrize("flag", ["truncated", "occluded", "difficult"])
def test_objects_that_are_not_whole_are_left_out(root: Path, flag: str) -> None:
    items = [labelled("car", 1), labelled("car", 2, **{flag: 1.0})]
    write_image(root / "pascal3d", "car_pascal/2008_000002", items)
    assert Pascal3d().load(root, "car", "test").observations.frames == 1
    assert Pascal3d(objects="all").load(root, "car", "test").observations.frames == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"distance": 0.0},  # a coarse viewpoint alone
        {"distance": 0.1},  # the camera stands in the model
        {"distance": EMPTY},
        {"viewpoint": {"azimuth_coarse": 90.0}},
        {"cad_index": EMPTY},
        {"cad_index": 4.0},  # of 3
        {"anchors": EMPTY},
        {"hidden": tuple(range(2, CAR))},  # two points show
    ],
)
def test_objects_that_cannot_be_placed_or_seen_are_left_out(root: Path, changes: dict) -> None:
    items = [labelled("car", 1), labelled("car", **{"model": 2} | changes)]
    write_image(root / "pascal3d", "car_pascal/2008_000002", items)
    assert Pascal3d(objects="all").load(root, "car", "test").observations.frames == 1


def test_objects_lie_before_the_camera(root: Path) -> None:
    models = models_of("car", 1)
    deepest = np.abs(models).max() * np.sqrt(3)
    items = [labelled("car", distance=d) for d in (deepest, 0.1, 0.01, -5.0)]
    items += [labelled("car", focal=0.0), labelled("car", viewport=-1.0)]
    path = write_image(root / "pascal3d", "car_pascal/x", items)
    objects = Objects(**read_objects({"car_pascal/x": path}, "car"))
    assert placed(objects, models).tolist() == [True, *[False] * 5]


def test_all_holds_every_category_in_its_columns(root: Path) -> None:
    data = Pascal3d().load(root, "all", "test")
    assert data.observations.points_2d.shape == (2, 124, 2)
    assert data.truth.group.tolist() == ["car", "bus"]
    assert len(set(data.observations.sequence.tolist())) == 2
    for frame, category in enumerate(("car", "bus")):
        own, at = Pascal3d().load(root, category, "test"), columns("all", category)
        np.testing.assert_array_equal(data.truth.points_3d[frame, at], own.truth.points_3d[0])
        np.testing.assert_array_equal(
            data.observations.visible[frame, at], own.observations.visible[0]
        )
        others = np.ones(124, dtype=bool)
        others[at] = False
        assert not data.observations.visible[frame, others].any()
        assert not data.truth.mask[frame, others].any()


def test_images_are_read_when_asked_for(root: Path) -> None:
    data = Pascal3d().load(root, "car", "test")
    with pytest.raises(DataMissingError, match=r"2008_000002\.jpg: no such image"):
        data.observations.images.image(0)
    path = Path(data.observations.images.files[0])
    path.parent.mkdir(parents=True)
    Image.new("RGB", (5, 3)).save(path)
    assert data.observations.images.image(0).shape == (3, 5, 3)


def test_listed_images_without_annotations_are_noted(root: Path) -> None:
    assert "listed" not in Pascal3d().note(root, "car")
    (root / "pascal3d/Annotations/car_pascal/2008_000001.mat").unlink()
    assert Pascal3d().load(root, "car", "train").observations.frames == 2
    assert "2 of 3 listed images have annotations" in Pascal3d().note(root, "car")
    assert "2 of 12 categories" in Pascal3d().note(root, "all")
    failed = {f.item: f.detail for f in Pascal3d().check(root) if not f.ok}
    assert "1 of 1 listed images have no annotation" in failed["car pascal train"]


def test_the_checksum_names_all_files(root: Path) -> None:
    folder = root / "pascal3d"
    before = Pascal3d().checksum(root, "car")
    assert Pascal3d(views="random").checksum(root, "car") != before
    assert Pascal3d().checksum(root, "bus") != before
    write_image(folder, "car_pascal/2008_000002", [labelled("car", 2)])
    assert Pascal3d().checksum(root, "car") != before
    random = Pascal3d(views="random").checksum(root, "car")
    write_cad(folder, "car", models_of("car", 2))
    assert Pascal3d(views="random").checksum(root, "car") != random


def test_a_changed_file_is_read_again(root: Path) -> None:
    before = Pascal3d().load(root, "car", "test")
    write_image(root / "pascal3d", "car_pascal/2008_000002", [labelled("car", 3)])
    after = Pascal3d().load(root, "car", "test")
    assert np.abs(after.truth.points_3d - before.truth.points_3d).max() > 1


# --- detections -----------------------------------------------------------------------------


def write_detections(root: Path, entries: list[dict[str, Any]]) -> None:
    (root / "pascal3d" / "hrnet.json").write_text(json.dumps({"detections": entries}))


def detected(**points: Any) -> dict[str, Any]:
    return {"image": "car_pascal/2008_000002", "object": 2, "points": points}


def test_detections_replace_the_points_and_not_the_truth(root: Path) -> None:
    names = POINTS["car"]
    places = {name: [10.0 * i, 7.0] for i, name in enumerate(names[:4])}
    bus = {"image": "bus_pascal/2008_000002", "object": 1, "points": {}}
    write_detections(root, [bus, detected(**places, **{names[5]: None})])
    found = Pascal3d(test_keypoints="hrnet").load(root, "car", "test")
    assert np.flatnonzero(found.observations.visible[0]).tolist() == [0, 1, 2, 3]
    np.testing.assert_array_equal(found.observations.points_2d[0, :4], list(places.values()))
    truth = Pascal3d().load(root, "car", "test").truth
    np.testing.assert_array_equal(found.truth.points_3d, truth.points_3d)
    assert found.truth.mask.all()
    train = Pascal3d(test_keypoints="hrnet").load(root, "car", "train")
    np.testing.assert_array_equal(
        train.observations.points_2d, Pascal3d().load(root, "car", "train").observations.points_2d
    )


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([], "1 of 1 'car' objects are not there, first object 2 of car_pascal/2008_000002"),
        ([detected(nose=[1, 2])], r"detections\[0\]: 'car' has no point 'nose'"),
        ([detected(left_front_wheel=[1])], r"detections\[0\]: left_front_wheel: expected x, y"),
        ([detected(left_front_wheel=[1, 1e9])], "expected x, y in pixels or null"),
        ([detected(left_front_wheel=[1, float("nan")])], "expected x, y in pixels or null"),
        ([{"image": "car_pascal/2008_000002"}], "expected detected keypoints"),
        ([7], "expected detected keypoints"),
    ],
)
def test_damaged_detections_are_told(root: Path, entries: list[Any], message: str) -> None:
    write_detections(root, entries)
    with pytest.raises(UserError, match=message) as told:
        Pascal3d(test_keypoints="hrnet").load(root, "car", "test")
    assert "hrnet.json" in str(told.value)
    assert "\n" not in str(told.value)


def test_absent_detections_are_told(root: Path) -> None:
    with pytest.raises(DataMissingError, match=r"hrnet\.json: not found, .*data info pascal3d"):
        Pascal3d(train_keypoints="hrnet").load(root, "car", "train")
    with pytest.raises(DataMissingError, match=r"hrnet\.json: not found"):
        Pascal3d(train_keypoints="hrnet").checksum(root, "car")


@settings(max_examples=25, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["detections", "image", "object", "points", *POINTS["car"][:2]]),
                inner | st.just("car_pascal/a"),
                max_size=5,
            )
        ),
        max_leaves=6,
    ),
    st.integers(0, 10),
)
def test_fuzzed_detections_give_points_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, content: Any, cut: int
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "hrnet.json"
    text = json.dumps(content if isinstance(content, dict) else {"detections": [content]})
    path.write_text(text[: len(text) - cut] if cut < 3 else text)
    nobody = Objects(*(np.zeros(0) for _ in range(7)))
    try:
        found = read_detections(path, "car", nobody)
    except UserError as error:
        told = str(error)
        assert told.startswith(str(path))
        assert "\n" not in told
    else:
        assert found.shape == (0, CAR, 2)


# --- random views ---------------------------------------------------------------------------


def test_random_views_turn_every_model(root: Path) -> None:
    adapter = Pascal3d(views="random", random_views=10)
    data = adapter.load(root, "car", "all")
    models = models_of("car", 3)
    assert data.observations.visible.all()
    assert data.observations.images is None
    np.testing.assert_array_equal(data.observations.sequence, np.arange(10) % 3)
    np.testing.assert_allclose(data.truth.points_3d.mean(axis=1), 0, atol=1e-12)
    for frame, points in enumerate(data.truth.points_3d):
        flat = models[frame % 3] - models[frame % 3].mean(axis=0)
        turn = np.linalg.pinv(flat) @ points
        np.testing.assert_allclose(flat @ turn, points, atol=1e-12)
        np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(turn) > 0


def test_random_splits_are_views(root: Path) -> None:
    adapter = Pascal3d(views="random", random_views=11)
    train, unseen, both = (
        adapter.load(root, "car", s).truth.points_3d for s in ("train", "unseen", "all")
    )
    assert (len(train), len(unseen)) == (8, 3)
    np.testing.assert_array_equal(np.concatenate([train, unseen]), both)
    more = Pascal3d(views="random", random_views=20).load(root, "car", "all").truth.points_3d
    np.testing.assert_array_equal(more[:11], both)
    other = Pascal3d(views="random", random_views=11, view_seed=1).load(root, "car", "all")
    assert np.abs(other.truth.points_3d - both).max(axis=(1, 2)).min() > 0.01


def test_random_views_of_models_that_lack_keypoints(root: Path) -> None:
    data = Pascal3d(views="random", random_views=6).load(root, "bus", "all")
    lacking = [np.flatnonzero(~row).tolist() for row in data.truth.mask]
    assert lacking == [[], [4, 5]] * 3
    np.testing.assert_array_equal(data.truth.mask, data.observations.visible)
    centre = np.where(data.truth.mask[..., None], data.truth.points_3d, 0).sum(axis=1)
    np.testing.assert_allclose(centre, 0, atol=1e-12)
    whole = Pascal3d(views="random", random_views=6, missing=False).load(root, "bus", "all")
    assert whole.observations.frames == 6
    assert whole.observations.visible.all()


# --- damage ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bbox": np.array([1.0, 2.0])}, "bbox: expected 4 numbers"),
        ({"bbox": np.array([1.0, 2.0, np.nan, 3.0])}, "bbox: expected numbers of at most"),
        ({"azimuth": np.inf}, "azimuth: expected numbers of at most"),
        ({"azimuth": "north"}, "azimuth: expected 1 numbers"),
        ({"azimuth": np.array([1.0, 2.0])}, "azimuth: expected 1 numbers"),
        ({"cad_index": 1.5}, "cad_index: expected a whole number from 1, got 1.5"),
        ({"cad_index": -1.0}, "cad_index: expected a whole number"),
        ({"anchors": {"left_front_wheel": {"status": 1.0}}}, "left_back_wheel"),
    ],
)
def test_damaged_annotations_are_told(root: Path, changes: dict, message: str) -> None:
    write_image(root / "pascal3d", "car_pascal/2008_000002", [labelled("car", **changes)])
    with pytest.raises(UserError, match=message) as told:
        Pascal3d().load(root, "car", "test")
    assert "car_pascal/2008_000002.mat" in str(told.value)
    assert "\n" not in str(told.value)
    assert any(not f.ok and f.item == "car pascal val" for f in Pascal3d().check(root))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda m: m[:, :2], "no keypoint 'right_front_wheel'"),
        (lambda m: m * 100, "left_front_wheel of model 1: expected numbers of at most 10"),
        (lambda m: np.where(np.arange(CAR)[:, None] < 2, m, np.nan), "fewer than 3 places"),
        (lambda m: m * 0, "model 1 has fewer than 3 places of keypoints"),
    ],
)
def test_damaged_models_are_told(
    root: Path, damage: Callable[[Floats], Floats], message: str
) -> None:
    models = damage(models_of("car", 2))
    rows = [
        {n: EMPTY if np.isnan(p).any() else p for n, p in zip(POINTS["car"], m, strict=False)}
        for m in models
    ]
    savemat(root / "pascal3d/CAD/car.mat", {"car": struct(rows)})
    with pytest.raises(UserError, match=message):
        Pascal3d().load(root, "car", "train")
    assert any(not f.ok and f.item == "CAD car" for f in Pascal3d().check(root))


@pytest.mark.parametrize("line", ["../../etc/passwd", "2008_000001 2", "a b c", "\x00"])
def test_damaged_lists_are_told(root: Path, line: str) -> None:
    write_list(root / "pascal3d", f"{VOC_LISTS}/car_val.txt", ["2008_000002 1", line])
    with pytest.raises(UserError, match=r"car_val\.txt: expected the list.*line 2: expected"):
        Pascal3d().load(root, "car", "test")


FINE = st.sampled_from([labelled("car"), labelled("bus", 2), person()])
VALUES = st.one_of(
    st.none().map(lambda _: EMPTY),
    st.floats(width=32),
    st.text("ab\n", max_size=3),
    st.lists(st.floats(width=32), max_size=5).map(np.array),
    st.just({"status": 1.0}),
    st.just(np.array([{"a": 1}], dtype=object)),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(FINE, min_size=1, max_size=3), st.data())
def test_fuzzed_annotations_give_objects_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, items: list[dict[str, Any]], data: st.DataObject
) -> None:
    item = dict(items[0])
    name = data.draw(st.sampled_from(sorted(item)))
    if isinstance(item[name], dict) and data.draw(st.booleans()):
        inner = data.draw(st.sampled_from(sorted(item[name])))
        item[name] = item[name] | {inner: data.draw(VALUES)}
    else:
        item[name] = data.draw(VALUES)
    path = write_image(tmp_path_factory.mktemp("fuzz"), "car_pascal/a", [item, *items[1:]])
    try:
        made = read_objects({"car_pascal/a": path}, "car")
    except UserError as error:
        told = str(error)
        assert told.startswith(str(path))
        assert "\n" not in told
    else:
        objects = Objects(**made)
        assert len(objects.number) <= len(items)
        assert objects.seen.shape == (len(objects.number), CAR)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_fuzzed_models_give_keypoints_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    count = data.draw(st.integers(1, 3))
    rows = [dict(zip(POINTS["bus"], m, strict=True)) for m in models_of("bus", count)]
    row = data.draw(st.sampled_from(rows))
    row[data.draw(st.sampled_from(POINTS["bus"]))] = data.draw(VALUES)
    path = folder / "bus.mat"
    savemat(path, {"bus": struct(rows)})
    content = path.read_bytes()
    path.write_bytes(content[: data.draw(st.sampled_from([len(content), len(content) // 2, 0]))])
    try:
        models = read_cad(path, "bus")
    except UserError as error:
        told = str(error)
        assert told.startswith(str(path))
        assert "\n" not in told
    else:
        assert models.shape == (count, BUS, 3)


# --- parameters and the real files ----------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"views": "both"}, "views: expected one of annotated, random, got 'both'"),
        ({"categories": 9}, "categories: expected one of 8, 12, got 9"),
        ({"categories": 8.0}, "categories: expected an integer, got 8.0"),
        ({"missing": 1}, "missing: expected true or false, got 1"),
        ({"random_views": 1}, "random_views: expected at least 2, got 1"),
        ({"view_seed": "a"}, "view_seed: expected an integer"),
        ({"objects": "some"}, "objects: expected one of whole, all"),
        ({"test_images": "coco"}, "test_images: expected one of all, imagenet, pascal"),
        ({"test_keypoints": "hrnet", "views": "random"}, "random views have no detections"),
        ({"train_keypoints": "hrnet", "missing": False}, "missing: a detector misses points"),
    ],
)
def test_bad_parameters_are_told_in_one_line(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as told:
        Pascal3dParams(**params)
    assert "\n" not in str(told.value)


def test_bad_parameters_of_a_suite_are_user_errors() -> None:
    with pytest.raises(UserError, match="categories"):
        checked_params("dataset 'pascal3d'", PASCAL3D.params, {"categories": 9})
    params = {"views": "random", "test_keypoints": "hrnet"}
    with pytest.raises(UserError, match="random views have no detections"):
        checked_params("dataset 'pascal3d'", PASCAL3D.params, params)


def test_spec_makes_the_adapter() -> None:
    made = PASCAL3D.make(**vars(PASCAL3D.params()))
    assert isinstance(made, Pascal3d)
    assert made.params == Pascal3dParams()
    assert PASCAL3D.splits == ("train", "test", "unseen", "all")


def test_the_real_models(shared_data: Path) -> None:
    adapter = Pascal3d(views="random")
    there = ("aeroplane", "chair", "bus", "bottle", "boat", "bicycle")
    assert adapter.subsets(shared_data) == ("all", *there)
    findings = {f.item: f for f in adapter.check(shared_data)}
    assert all(finding.ok for finding in findings.values())
    assert "6 of 12 categories" in findings["CAD"].detail
    assert set(findings["CAD"].detail.partition("; no ")[2].split(", ")) == (
        set(CATEGORIES) - set(there)
    )
    counts = {"aeroplane": 7, "chair": 10, "bus": 6, "bottle": 8, "boat": 6, "bicycle": 5}
    for category, count in counts.items():
        finding = findings[f"CAD {category}"]
        assert finding.ok
        assert finding.detail.startswith(f"{count} models of {len(POINTS[category])} keypoints")
    assert "lacks 8 of 100" in findings["CAD chair"].detail
    assert "leg_upper_left in 2, 10" in findings["CAD chair"].detail
    assert "lacks 7 of 42" in findings["CAD boat"].detail
    assert "tail in 1, 2, 3, 4, 6" in findings["CAD boat"].detail
    assert "so only random views" in findings["annotations"].detail
    data = Pascal3d(views="random", random_views=200).load(shared_data, "all", "train")
    assert data.observations.points_2d.shape == (6 * 160, 124, 2)
    groups, frames = np.unique(data.truth.group, return_counts=True)
    assert (frames == 160).all()
    assert len(groups) == 6
    assert data.truth.unit == "model unit"
    sizes = np.linalg.norm(data.truth.points_3d, axis=2).max(axis=1)
    assert ((sizes > 0.25) & (sizes < 0.75)).all()
    assert "6 of 12 categories" in adapter.note(shared_data, "all")


@pytest.mark.parametrize("category", ["chair", "bus", "bicycle"])
def test_real_surfaces_before_the_camera_cover_their_points(
    shared_data: Path, category: str
) -> None:
    models = read_cad(shared_data / "pascal3d" / "CAD" / f"{category}.mat", category)
    count = len(models)
    data = Pascal3d(views="random", random_views=count).load(shared_data, category, "all")
    truth = data.truth
    assert len(truth.meshes) == count
    turns = random_rotations(named_rng("pascal3d", "view", 0, category), count)
    for number, turn, points, defined in zip(
        truth.mesh.tolist(), turns, truth.points_3d, truth.mask, strict=True
    ):
        mesh = truth.meshes[number]
        seen = 300 + 300 * (mesh.vertices - np.nanmean(models[number], axis=0)) @ turn.T
        mask = binary_dilation(covered(seen, mesh.faces, (600, 600)), iterations=5)
        column, row = np.rint(300 + 300 * points[defined, :2]).astype(int).T
        assert mask[row, column].all()
    own = truth.meshes[0]
    vertices = np.broadcast_to(own.vertices, (count, *own.vertices.shape))
    made = Reconstruction(truth.points_3d, canonical_vertices=vertices, faces=own.faces)
    np.testing.assert_array_equal(volume_overlap(made, data) == 1, truth.mesh == 0)


@pytest.mark.parametrize("category", ["aeroplane", "bus", "boat"])
def test_the_real_models_have_left_points_at_negative_x(shared_data: Path, category: str) -> None:
    models = read_cad(shared_data / "pascal3d" / "CAD" / f"{category}.mat", category)
    place = {name: np.nanmean(models[:, i], axis=0) for i, name in enumerate(POINTS[category])}
    for name, (x, _, _) in place.items():
        side = {"left": -1, "right": 1}.get(next((w for w in SIDES if w in name), ""), 0)
        assert np.sign(x) == side or (side == 0 and abs(x) < 0.02)


def test_records_of_both_mat_versions_are_read(shared_data: Path) -> None:
    folder = shared_data / "pascal3d" / "ann_like"
    names = ("left_000410", "left_000445")
    made = Objects(**read_objects({n: folder / f"{n}.mat" for n in names}, "car"))
    assert made.image.tolist() == list(names)
    assert made.model.tolist() == [2, 2]
    assert made.whole.all()
    assert made.seen.sum(axis=1).tolist() == [7, 0]
    views = made.viewpoints()
    np.testing.assert_allclose(views.distance, 3.399)
    np.testing.assert_allclose(views.theta, -10.112)
    assert np.isfinite(made.viewpoint).all()
    assert replace(made).take(np.array([False, True])).image.tolist() == ["left_000445"]
