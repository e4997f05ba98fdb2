"""Small files of CUB-200-2011 and of CMR that the tests write, and the real ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
from scipy.spatial.transform import Rotation

from liftbench.types import Floats
from liftbench_datasets.cub.release import (
    PARTS,
)

IMAGES = 40


SHAPE = np.random.default_rng(0).normal(size=(3, 15))


SPLITS = {"train": list(range(0, 20)), "val": [20, 23, 26, 31, 38], "test": [21, 25, 30, 33, 39]}


TESTVAL = sorted(SPLITS["val"] + SPLITS["test"])


class Birds:
    """Images of one rigid shape, with a translation fitted to the visible parts."""

    def __init__(self, noise: float = 6.0) -> None:
        rng = np.random.default_rng(1)
        self.rot = Rotation.random(IMAGES, rng).as_matrix()
        self.scale = rng.uniform(30, 90, IMAGES)
        self.visible = rng.random((IMAGES, 15)) < 0.7
        self.visible[:, 3] = True
        views = self.scale[:, None, None] * (self.rot @ SHAPE)[:, :2].swapaxes(1, 2)
        annotated = views + rng.uniform(150, 350, (IMAGES, 1, 2))
        self.points = np.round(annotated + rng.normal(0, noise, views.shape), 1)
        gaps = np.where(self.visible[..., None], self.points - views, 0.0)
        self.trans = gaps.sum(axis=1) / self.visible.sum(axis=1, keepdims=True)
        self.box = np.concatenate([rng.uniform(1, 99, (IMAGES, 2)), np.full((IMAGES, 2), 200)], 1)
        self.names = [f"{i:03}.Bird/Bird_{i:04}.jpg" for i in range(IMAGES)]


BIRDS = Birds()


def write_release(folder: Path, names: bool = False, flags: bool = False) -> Path:
    (folder / "parts").mkdir(parents=True)
    rows = [
        f"{i + 1} {p + 1} {x if v else 0.0} {y if v else 0.0} {int(v)}"
        for i in range(IMAGES)
        for p, ((x, y), v) in enumerate(zip(BIRDS.points[i], BIRDS.visible[i], strict=True))
    ]
    (folder / "parts" / "part_locs.txt").write_text("\n".join(rows))
    parts = "\n".join(f"{i} {name}" for i, name in enumerate(PARTS, start=1))
    (folder / "parts" / "parts.txt").write_text(parts)
    boxes = [f"{i + 1} {' '.join(map(str, box))}" for i, box in enumerate(BIRDS.box.tolist())]
    (folder / "bounding_boxes.txt").write_text("\n".join(boxes))
    if names:
        lines = [f"{i} {name}" for i, name in enumerate(BIRDS.names, start=1)]
        (folder / "images.txt").write_text("\n".join(lines))
    if flags:
        lines = [f"{i + 1} {int(i in SPLITS['train'])}" for i in range(IMAGES)]
        (folder / "train_test_split.txt").write_text("\n".join(lines))
    return folder


def structs(rows: list[dict[str, Any]]) -> Any:
    """Return a MATLAB struct array."""
    array = np.zeros((1, len(rows)), dtype=[(name, "O") for name in rows[0]])
    for i, row in enumerate(rows):
        array[0, i] = tuple(row.values())
    return array


def write_sfm(path: Path, images: list[int], shape: Floats | None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        {"rot": BIRDS.rot[i], "scale": BIRDS.scale[i], "trans": BIRDS.trans[i][:, None]}
        for i in images
    ]
    content = {"sfm_anno": structs(rows), **({} if shape is None else {"S": shape})}
    scipy.io.savemat(path, content, do_compression=True)
    return path


def write_all_sfm(folder: Path, below: str = "") -> None:
    for split, images in SPLITS.items():
        shape = SHAPE if split == "train" else None
        write_sfm(folder / below / f"anno_{split}.mat", images, shape)
    write_sfm(folder / below / "anno_testval.mat", TESTVAL, SHAPE)


def mask(image: int) -> np.ndarray[Any, Any]:
    drawn = np.zeros((6 + image, 9), dtype=np.uint8)
    drawn[2:5, image % 5 :] = 1
    return drawn


def write_cleaned(path: Path, images: list[int], **changes: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = []
    for i in images:
        x, y, width, height = BIRDS.box[i]
        seen = BIRDS.visible[i]
        corners = {"x1": x, "y1": y, "x2": x + width - 1, "y2": y + height - 1}
        row = {
            "rel_path": BIRDS.names[i],
            "bbox": structs([corners]),
            "parts": np.vstack([np.where(seen, BIRDS.points[i].T, 0), seen]),
            "mask": mask(i),
        }
        rows.append({**row, **changes})
    scipy.io.savemat(path, {"images": structs(rows)}, do_compression=True)
    return path


@pytest.fixture
def extract(tmp_path: Path) -> Path:
    """Return a root with CMR's structure from motion, but without its annotations."""
    write_release(tmp_path / "cub_200_2011")
    write_all_sfm(tmp_path / "cub_ttp")
    return tmp_path


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """Return a root with all files of CMR and without those of the release."""
    write_all_sfm(tmp_path / "cub_cmr", "sfm")
    for split, images in SPLITS.items():
        write_cleaned(tmp_path / "cub_cmr" / "data" / f"{split}_cub_cleaned.mat", images)
    return tmp_path


def views_of(images: list[int]) -> Floats:
    flat = BIRDS.scale[:, None, None] * (BIRDS.rot @ SHAPE)
    views: Floats = flat.swapaxes(1, 2) + np.pad(BIRDS.trans, ((0, 0), (0, 1)))[:, None]
    chosen: Floats = views[images]
    return chosen


def write_template(path: Path, vertices: int = 642) -> Path:
    rng = np.random.default_rng(0)
    lines = [f"v {x} {y} {z}" for x, y, z in rng.normal(size=(vertices, 3)).round(4).tolist()]
    path.write_text("\n".join(["# a bird", *lines, "f 1 2 3", "f 4/1/2 5//2 642"]))
    return path


@pytest.fixture(scope="session")
def real(shared_data: Path) -> Path:
    if not (shared_data / "cub_ttp").is_dir():
        pytest.skip(f"no CUB files in {shared_data}")
    return shared_data
