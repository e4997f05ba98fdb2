"""A small release of PASCAL3D+ that the tests write in the official format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.io import savemat
from tests.conftest import not_none

from liftbench.seeds import named_rng
from liftbench.types import Dataset, Floats
from liftbench_datasets.pascal3d.categories import POINTS

CAR, BUS = len(POINTS["car"]), len(POINTS["bus"])


SEEN, SELF_HIDDEN = 1, 2


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


def labelled(
    category: str, model: int = 1, hidden: tuple[int, ...] = (), **changes: Any
) -> dict[str, Any]:
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


def frame_images(data: Dataset) -> list[str]:
    return ["/".join(Path(file).parts[-2:]) for file in not_none(data.observations.images).files]


VALUES = st.one_of(
    st.none().map(lambda _: EMPTY),
    st.floats(width=32),
    st.text("ab\n", max_size=3),
    st.lists(st.floats(width=32), max_size=5).map(np.array),
    st.just({"status": 1.0}),
    st.just(np.array([{"a": 1}], dtype=object)),
)
