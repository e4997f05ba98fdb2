"""How arrays travel between the harness and the child process of a run."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np

from liftbench.arrays import Arrays, load_arrays, save_arrays
from liftbench.images import Images
from liftbench.types import Observations, Reconstruction, Skeleton


def write_observations(path: Path, observations: Observations) -> None:
    """Write observations to an `.npz` file; images that are drawn on demand are drawn."""
    arrays: Arrays = {
        name: value
        for name in ("points_2d", "visible", "sequence", "box", "pixel")
        if (value := getattr(observations, name)) is not None
    }
    images = observations.images and observations.images.drawn()
    meta = {
        "camera": observations.camera,
        "skeleton": asdict(observations.skeleton),
        "images": images and {"files": images.files, "masks": images.masks},
    }
    save_arrays(path, {**arrays, "meta": np.array(json.dumps(meta))})


def read_observations(path: Path) -> Observations:
    """Read what `write_observations` wrote."""
    arrays = load_arrays(path)
    meta = json.loads(str(arrays.pop("meta")))
    skeleton, images = meta["skeleton"], meta["images"]
    return Observations(
        **arrays,
        camera=meta["camera"],
        skeleton=Skeleton(
            points=tuple(skeleton["points"]),
            edges=tuple(map(tuple, skeleton["edges"])),
            left_right=tuple(map(tuple, skeleton["left_right"])),
            root=skeleton["root"],
        ),
        images=images
        and Images(tuple(images["files"]), images["masks"] and tuple(images["masks"])),
    )


def reconstruction_arrays(reconstruction: Reconstruction) -> Arrays:
    """Return the arrays of a reconstruction by field name; absent fields are left out."""
    return {
        f.name: value
        for f in fields(Reconstruction)
        if (value := getattr(reconstruction, f.name)) is not None
    }


def digest(reconstruction: Reconstruction) -> str:
    """Return the SHA-256 of all arrays of a reconstruction, bit for bit."""
    total = hashlib.sha256()
    for name, array in sorted(reconstruction_arrays(reconstruction).items()):
        total.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()


def save_reconstructions(path: Path, splits: dict[str, Reconstruction]) -> None:
    """Write the reconstruction of each split to one `.npz` file."""
    save_arrays(
        path,
        {
            f"{split}/{name}": array
            for split, reconstruction in splits.items()
            for name, array in reconstruction_arrays(reconstruction).items()
        },
    )


def load_reconstructions(path: Path) -> dict[str, Reconstruction]:
    """Read what `save_reconstructions` wrote."""
    splits: dict[str, Arrays] = {}
    for name, array in load_arrays(path).items():
        split, _, field = name.rpartition("/")
        splits.setdefault(split, {})[field] = array
    return {split: Reconstruction(**arrays) for split, arrays in splits.items()}
