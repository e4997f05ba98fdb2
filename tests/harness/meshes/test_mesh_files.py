"""Files of meshes, read again, and the command that writes those of a stored run."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import trimesh
from click.testing import CliRunner, Result
from tests.conftest import not_none
from trimesh.visual import ColorVisuals

from liftbench.cli import main
from liftbench.errors import UserError
from liftbench.meshes.mesh_files import MeshFormat, write_mesh
from liftbench.runs.store import RunRecord, RunResult, RunSpec, Store
from liftbench.types import Floats, Reconstruction

FACES = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]])
SPEC = RunSpec({"key": "birds"}, "train", ("train", "test"), {"key": "flat"}, 0)


def tetrahedra(frames: int = 3) -> Reconstruction:
    """Return tetrahedra with a different size and other colours in each frame."""
    rng = np.random.default_rng(0)
    vertices = np.vstack([np.zeros(3), np.eye(3)]) * (1.0 + np.arange(frames))[:, None, None]
    return Reconstruction(
        np.zeros((frames, 2, 3)),
        vertices=vertices,
        faces=FACES,
        colours=rng.integers(0, 256, (frames, 4, 3)) / 255,
    )


def vertices_of(path: Path) -> Floats:
    """Return the vertices (V, 3) of a file."""
    return np.array(trimesh.load_mesh(path, process=False).vertices, dtype=np.float64)


@pytest.mark.parametrize("suffix", get_args(MeshFormat))
def test_a_file_has_the_surface_and_colours_of_its_frame(tmp_path: Path, suffix: str) -> None:
    path, made = tmp_path / f"mesh.{suffix}", tetrahedra()
    write_mesh(path, made, 1)
    found = trimesh.load_mesh(path, process=False)
    vertices = vertices_of(path)
    expected = not_none(made.vertices)[1] * [1, -1, -1]
    order = [int(np.abs(vertices - row).sum(axis=1).argmin()) for row in expected]
    np.testing.assert_allclose(vertices[order], expected, atol=1e-6)
    assert isinstance(found.visual, ColorVisuals)
    colours = np.asarray(found.visual.vertex_colors)[order, :3]
    assert np.abs(colours - 255 * not_none(made.colours)[1]).max() <= 1
    assert found.volume == pytest.approx(2**3 / 6)  # its triangles look outward


def test_a_surface_needs_no_colours(tmp_path: Path) -> None:
    write_mesh(tmp_path / "grey.ply", replace(tetrahedra(), colours=None), 0)
    assert len(vertices_of(tmp_path / "grey.ply")) == 4


def test_points_alone_are_no_surface(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="points alone"):
        write_mesh(tmp_path / "none.ply", Reconstruction(np.zeros((1, 2, 3))), 0)


def test_the_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trimesh", None)
    with pytest.raises(UserError, match=r"pip install 'liftbench\[meshes\]'"):
        write_mesh(tmp_path / "mesh.ply", tetrahedra(), 0)


def stored_run(folder: Path, made: Reconstruction) -> str:
    """Store a run with the splits train and test, of which test has `made`."""
    points = Reconstruction(np.zeros((1, 2, 3)))
    store = Store(folder / "results" / "suite")
    store.write_result(RunResult(RunRecord(SPEC, "ok"), {"train": points, "test": made}))
    return SPEC.key[:12]


def export(folder: Path, *words: str) -> Result:
    given = ["export", *words, "--results", str(folder / "results"), "--out", str(folder / "out")]
    return CliRunner().invoke(main, given, catch_exceptions=False)


def test_the_command_writes_one_file_per_frame(tmp_path: Path) -> None:
    key = stored_run(tmp_path, tetrahedra())
    result = export(tmp_path, key, "--split", "test", "--frames", "0,2", "--format", "ply")
    assert result.exit_code == 0
    names = [f"flat_test_{number}.ply" for number in (0, 2)]
    assert [Path(line.split()[1]).name for line in result.stdout.splitlines()] == names
    assert vertices_of(tmp_path / "out" / names[1]).max() == pytest.approx(3)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "the run has the splits train, test; choose one with --split"),
        (["--split", "unseen"], "--split: expected one of train, test, got 'unseen'"),
        (["--split", "test", "--frames", "3"], "expected numbers from 0 to 2"),
        (["--split", "test", "--frames", "one"], "expected numbers from 0 to 2"),
        (["--split", "test", "--frames", "-1"], "expected numbers from 0 to 2"),
        (["--split", "train"], "flat reconstructs points alone, no mesh"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(
    tmp_path: Path, words: list[str], message: str
) -> None:
    result = export(tmp_path, stored_run(tmp_path, tetrahedra()), *words)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert message in line
    assert not (tmp_path / "out").exists()


def test_a_run_whose_predictions_are_gone_says_how_to_make_them(tmp_path: Path) -> None:
    key = stored_run(tmp_path, tetrahedra())
    Store(tmp_path / "results" / "suite").predictions_path(SPEC.key).unlink()
    result = export(tmp_path, key)
    assert result.exit_code == 2
    assert f"'liftbench rerun {key}' makes them" in result.stderr
