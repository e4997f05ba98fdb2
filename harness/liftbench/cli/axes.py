"""Reads the axes of a sweep from the options of the command line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import click
import yaml

from liftbench.cli.options import option_bundle
from liftbench.errors import UserError
from liftbench.plugin.registry import Registry
from liftbench.suites.grids import OF_DATA
from liftbench.suites.suite import Suite


@dataclass(frozen=True)
class AxisOptions:
    """The options that say what to sweep over, by their names on the command line."""

    noise: str | None
    noise_ratio: str | None
    missing: str | None
    frames: str | None
    axis: tuple[str, ...]
    corrupt: str | None

    def values_by_key(self) -> Iterator[tuple[str, str]]:
        """Yield the key of each axis and the text of its values; `frames` comes last."""
        for key in ("noise", "noise_ratio", "missing"):
            if text := getattr(self, key):
                yield key, text
        yield from map(_key_and_values, self.axis)
        if self.frames:
            yield "frames", self.frames


axis_options = option_bundle(
    "axes",
    AxisOptions,
    click.option("--noise", help="Pixels, such as 0,3,5,10,15."),
    click.option("--noise-ratio", help="Norm of the noise over that of the points, as 0,0.1,0.2."),
    click.option("--missing", help="Per cent of the points that are hidden at random, as 0,30,60."),
    click.option("--frames", help="Per cent of the frames that methods learn from, as 100,50,10."),
    click.option(
        "--axis",
        multiple=True,
        metavar="KEY=VALUES",
        help="Any corruption by its key, such as missing_limb=0,30 (per cent), or a parameter of "
        "the data, such as data.occlusion=false,true; may be given several times.",
    ),
    click.option(
        "--corrupt",
        type=click.Choice(["both", "test"]),
        help="Whether corruptions are seen in training and test (both) or in the test alone; else "
        "as the suite says, or both.",
    ),
)


def with_grids(suite: Suite, registry: Registry, options: AxisOptions) -> Suite:
    """Return a suite with the grid that the options ask for; its own grids if they ask for none.

    Raises:
        UserError: neither the options nor the suite name an axis, or a value is not a number.
    """
    grid: dict[str, dict[str, Any]] = {}
    for key, text in options.values_by_key():
        name, values = _parse(registry, key, text)
        grid.setdefault(OF_DATA if key.startswith(f"{OF_DATA}.") else key, {})[name] = values
    grids = (grid,) if grid else suite.sweep
    if not grids:
        raise UserError(
            f"suite '{suite.name}' has no section 'sweep'; say what to sweep over, such as "
            "--noise-ratio 0,0.1,0.2 --missing 0,30,60"
        )
    if options.corrupt:
        stage = "predict" if options.corrupt == "test" else "both"
        grids = tuple(
            {key: _with_stage(registry, key, params, stage) for key, params in grid.items()}
            for grid in grids
        )
    return suite.model_copy(update={"sweep": grids})


def _with_stage(registry: Registry, key: str, params: dict[str, Any], stage: str) -> dict[str, Any]:
    """Return the parameters of an axis with a stage if its corruption leaves a choice."""
    if key == OF_DATA or registry.corruptions[key].params.stage != "both":
        return params
    return {**params, "stage": stage}


def _key_and_values(text: str) -> tuple[str, str]:
    key, equals, values = text.partition("=")
    if not (key and equals and values):
        raise UserError(f"--axis {text}: expected a corruption and values, as missing_limb=0,30")
    return key.strip(), values


def _parse(registry: Registry, key: str, text: str) -> tuple[str, list[Any]]:
    """Return the parameter of an axis and its values; percentages become shares."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    if key.startswith(f"{OF_DATA}."):
        return key.partition(".")[2], [yaml.safe_load(word) for word in words]
    spec = registry.corruptions[key]
    if spec.severity is None:
        raise UserError(f"corruption '{key}' has no severity to sweep over")
    return spec.severity, list(_numbers(key, words, 100 if spec.unit == "%" else 1))


def _numbers(key: str, words: Iterable[str], divisor: int) -> Iterator[float]:
    for word in words:
        try:
            yield float(Decimal(word) / divisor)  # 30 gives exactly the 0.3 that a suite writes
        except InvalidOperation as error:
            raise UserError(f"{key}: expected numbers with commas between, got '{word}'") from error
