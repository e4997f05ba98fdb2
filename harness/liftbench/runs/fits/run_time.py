"""How long a fitted method takes for one frame."""

from __future__ import annotations

import numpy as np

from liftbench.plugin.specs import Method
from liftbench.plugin.timing import measure_parts
from liftbench.types import Observations

_WARM_UPS = 3
_RUNS = 20  # Source: To The Point, Table 5


def measure_run_times(method: Method, observations: Observations) -> dict[str, list[float]]:
    """Return the milliseconds of each part of a prediction of the first frame, for 20 runs.

    The first calls, in which memory and kernels are prepared, do not count.
    """
    frame = observations.take(np.array([0]))
    runs = [measure_parts(lambda: method.predict(frame)) for _ in range(_WARM_UPS + _RUNS)]
    return {part: [run[part] for run in runs[_WARM_UPS:]] for part in runs[0]}
