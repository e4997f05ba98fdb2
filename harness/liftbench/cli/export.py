"""`liftbench export`."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import click

from liftbench.cli.options import results_option
from liftbench.cli.rerun import find_run
from liftbench.errors import UserError
from liftbench.meshes.mesh_files import MeshFormat, write_mesh
from liftbench.types import Reconstruction


@click.command()
@click.argument("key")
@click.option("--split", help="Which split; needed if the run has several.")
@click.option("--frames", default="0", show_default=True, help="Numbers of frames, as 0,5,12.")
@click.option(
    "--format",
    "suffix",
    type=click.Choice(get_args(MeshFormat)),
    default="glb",
    show_default=True,
    help="Format of the files.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("meshes"),
    show_default=True,
    help="Folder of the files.",
)
@results_option
def export(
    *, key: str, split: str | None, frames: str, suffix: MeshFormat, out: Path, results: Path
) -> None:
    """Write meshes of the stored run whose key begins with KEY, one file per frame."""
    stores, record = find_run(results, key)
    method = record.spec.method["key"]
    path = stores[0].predictions_path(record.spec.key)
    try:
        splits = stores[0].read_predictions(record.spec.key)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path}: no predictions to read; 'liftbench rerun {key}' makes them"
        ) from error
    split, reconstruction = _choose(splits, split, path)
    numbers = _numbers(frames, len(reconstruction.points_3d))
    if reconstruction.vertices is None or reconstruction.faces is None:
        raise UserError(
            f"{path}: {method} reconstructs points alone, no mesh; choose a run of "
            "a method with meshes, such as ttp"
        )
    out.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        file = out / f"{method}_{split}_{number}.{suffix}"
        write_mesh(file, reconstruction, number)
        click.echo(f"wrote {file}")


def _choose(
    splits: dict[str, Reconstruction], split: str | None, path: Path
) -> tuple[str, Reconstruction]:
    names = ", ".join(splits)
    if split is None:
        if len(splits) != 1:
            raise UserError(f"{path}: the run has the splits {names}; choose one with --split")
        split = next(iter(splits))
    if split not in splits:
        raise UserError(f"--split: expected one of {names}, got '{split}'")
    return split, splits[split]


def _numbers(text: str, frames: int) -> list[int]:
    """Return the numbers of frames in a text such as `0,5,12`."""
    words = text.split(",")
    numbers = [int(word) for word in words if word.strip().isdecimal()]
    if len(numbers) != len(words) or max(numbers) >= frames:
        raise UserError(f"--frames: expected numbers from 0 to {frames - 1}, as 0,5,12; got {text}")
    return numbers
