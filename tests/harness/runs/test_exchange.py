"""Files between harness and child process keep every value, and digests depend on every bit."""

from __future__ import annotations

import hashlib
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from liftbench import Images, Observations, Reconstruction, Skeleton
from liftbench.runs.exchange import (
    digest,
    load_reconstructions,
    read_observations,
    save_reconstructions,
    write_observations,
)
from liftbench.types import Mesh, Template

SKELETON = Skeleton(tuple("abcd"), edges=((0, 1), (1, 2)), left_right=((2, 3),), root=1)


def observations() -> Observations:
    """Return observations with every optional field."""
    rng = np.random.default_rng(1)
    visible = rng.uniform(size=(3, 4)) > 0.3
    points_2d = np.where(visible[..., None], rng.standard_normal((3, 4, 2)), np.nan)
    return Observations(
        points_2d,
        visible,
        np.array([5, 5, 7]),
        "perspective",
        SKELETON,
        box=rng.uniform(1, 2, (3, 4)),
        images=Images(("a.png", "b.png", "c.png"), ("a.npy", "b.npy", "c.npy")),
        pixel=rng.uniform(1, 2, 3),
        origin=rng.uniform(-9, 9, (3, 2)),
        template=Template(Mesh(rng.standard_normal((5, 3)), np.array([[0, 1, 4]])), np.eye(4, 5)),
    )


def reconstruction(seed: int = 0) -> Reconstruction:
    """Return a reconstruction with every optional field."""
    rng = np.random.default_rng(seed)
    return Reconstruction(
        points_3d=rng.standard_normal((3, 4, 3)),
        rotation=np.tile(np.eye(3), (3, 1, 1)),
        canonical_3d=rng.standard_normal((3, 4, 3)),
        points_2d=rng.standard_normal((3, 4, 2)),
        visible=rng.uniform(size=(3, 4)) > 0.5,
        vertices=rng.standard_normal((3, 5, 3)),
        canonical_vertices=rng.standard_normal((3, 5, 3)),
        faces=np.array([[0, 1, 2], [2, 3, 4]]),
        colours=rng.uniform(size=(3, 5, 3)),
    )


def assert_same(found: object, expected: object) -> None:
    """Compare two instances of a dataclass field by field, arrays bit for bit."""
    for field in fields(expected):  # type: ignore[arg-type]
        ours, theirs = getattr(found, field.name), getattr(expected, field.name)
        if isinstance(theirs, Template | Mesh):
            assert_same(ours, theirs)
        elif isinstance(theirs, np.ndarray):
            assert ours.dtype == theirs.dtype
            assert ours.tobytes() == theirs.tobytes(), field.name
        else:
            assert ours == theirs, field.name


def test_observations_come_back_as_they_were(tmp_path: Path) -> None:
    write_observations(tmp_path / "seen.npz", observations())
    assert_same(read_observations(tmp_path / "seen.npz"), observations())


@pytest.mark.parametrize("absent", ["box", "images", "pixel", "template"])
def test_absent_fields_stay_absent(tmp_path: Path, absent: str) -> None:
    changes: dict[str, Any] = {absent: None}
    without = replace(observations(), **changes)
    write_observations(tmp_path / "seen.npz", without)
    assert_same(read_observations(tmp_path / "seen.npz"), without)


def test_images_without_masks_have_none(tmp_path: Path) -> None:
    shown = replace(observations(), images=Images(("a.png", "b.png", "c.png")))
    write_observations(tmp_path / "seen.npz", shown)
    found = read_observations(tmp_path / "seen.npz").images
    assert found is not None
    assert (found.files, found.masks) == (("a.png", "b.png", "c.png"), None)


def test_reconstructions_come_back_under_their_names(tmp_path: Path) -> None:
    splits = {"train": reconstruction(), "a/b-0": Reconstruction(np.ones((1, 4, 3)))}
    save_reconstructions(tmp_path / "made.npz", splits)
    found = load_reconstructions(tmp_path / "made.npz")
    assert set(found) == set(splits)
    for name, expected in splits.items():
        assert_same(found[name], expected)
        assert digest(found[name]) == digest(expected)


@pytest.mark.parametrize("name", [f.name for f in fields(Reconstruction)])
def test_a_digest_depends_on_every_field(name: str) -> None:
    before = reconstruction()
    value = getattr(before, name).copy()
    if name == "rotation":
        value[0] = np.diag([1.0, -1.0, -1.0])
    elif name == "visible":
        value[0, 0] = not value[0, 0]
    elif name == "colours":
        value.flat[0] /= 2
    else:
        value.flat[0] += 1
    after = replace(before, **{name: value})
    assert digest(after) != digest(before)
    if name != "points_3d":
        without: dict[str, Any] = {name: None}
        assert digest(replace(before, **without)) != digest(before)


def test_a_digest_depends_on_names_and_shapes() -> None:
    points = np.ones((2, 3, 3))
    assert digest(Reconstruction(points)) != digest(Reconstruction(points.reshape(3, 2, 3)))
    names = ("canonical_3d", "vertices", "canonical_vertices")
    others: list[dict[str, Any]] = [{name: points} for name in names]
    assert len({digest(Reconstruction(points, **other)) for other in others}) == len(names)


def test_a_digest_is_the_hash_of_name_type_shape_and_bytes_in_the_order_of_names() -> None:
    points, rotation = np.ones((1, 2, 3)), np.eye(3)[None]
    content = b"points_3d <f8 (1, 2, 3)\n" + points.tobytes()
    content += b"rotation <f8 (1, 3, 3)\n" + rotation.tobytes()
    assert digest(Reconstruction(points, rotation)) == hashlib.sha256(content).hexdigest()
    content = b"canonical_3d <f8 (1, 2, 3)\n" + points.tobytes() + content
    made = Reconstruction(points, rotation, canonical_3d=points)
    assert digest(made) == hashlib.sha256(content).hexdigest()
