"""A method whose key, title and reference are markup that a page must show as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from liftbench import MethodSpec, Observations, Reconstruction, RunContext, hookimpl

KEY = "<img src=x onerror=\"document.title='owned'\">"


@dataclass(frozen=True)
class NoParams:
    pass


class Flat:
    """Returns the image points with depth 0."""

    def fit(self, observations: Observations, context: RunContext) -> None:
        pass

    def predict(self, observations: Observations) -> Reconstruction:
        points_2d = observations.points_2d
        return Reconstruction(np.dstack([points_2d, 0 * points_2d[..., :1]]))


@hookimpl
def liftbench_methods() -> Sequence[MethodSpec]:
    return [MethodSpec(KEY, "</script><b>Flat</b>", "{{ 7 * 7 }} & $x$", Flat, NoParams)]
