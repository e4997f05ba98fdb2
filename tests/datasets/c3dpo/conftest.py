"""Small files in C3DPO's JSON format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from liftbench.types import Dataset
from liftbench_datasets.c3dpo.adapter import C3dpoJson

POINTS = 5


Entry = dict[str, Any]


def plain(count: int = 3, points: int = POINTS) -> list[Entry]:
    """Return entries such as those of UP-3D; point 0 of entry 0 is hidden."""
    rng = np.random.default_rng(count)
    space = rng.standard_normal((count, 3, points))
    visible = np.ones((count, points))
    visible[0, 0] = 0
    return [
        {"kp_loc": p[:2].tolist(), "kp_vis": v.tolist(), "kp_loc_3d": p.tolist()}
        for p, v in zip(space, visible, strict=True)
    ]


def pascal() -> list[Entry]:
    """Return an aeroplane and a car of five points, of which two and three are theirs."""
    entries = plain(2)
    entries[0] |= {
        "kp_loc": [[0, 10, 20, 5, 5], [0, 5, 5, 5, 5]],
        "kp_vis": [1, 1, 1, 1, 1],
        "class_mask": [1, 1, 1, 0, 0],
        "kp_defined": [1, 0, 1, 1, 1],
        "p3d_info": {"bbox": [1, 0, 10, 10], "p3d_class": "aeroplane"},
        "image_path": "Images/a.png",
    }
    entries[1] |= {
        "class_mask": [0, 0, 1, 1, 1],
        "kp_defined": [1, 1, 1, 1, 1],
        "p3d_info": {"bbox": [-9, -9, 20, 20], "p3d_class": "car"},
        "image_path": "Images/b.png",
    }
    return entries


def h36m() -> list[Entry]:
    entries = plain(2)
    for entry, scale, action in zip(entries, (100.0, 250.0), ("Eating", "Photo"), strict=True):
        entry["h36m_info"] = {"scale": scale, "action_name": action}
    return entries


def write(root: Path, stem: str, entries: Any, below: str = "c3dpo") -> Path:
    path = root / below / f"{stem}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"dataset": stem, "data": entries}), encoding="utf-8")
    return path


def load(root: Path, entries: Any, subset: str = "mine") -> Dataset:
    write(root, f"{subset}_val", entries)
    return C3dpoJson().load(root, subset, "val")
