"""Teachers for methods under examination: they are fitted in the same process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from liftbench.plugin.registry import Registry
from liftbench.plugin.specs import Fitted, Method, MethodSpec, RunContext
from liftbench.runs.compatibility import incompatibility
from liftbench.runs.exchange import Declared
from liftbench.runs.fits.generators import seed_generators
from liftbench.runs.fits.states import Teachers
from liftbench.runs.method_params import params_of_run, teachers_of_run
from liftbench.testing.outcomes import IncapableError
from liftbench.types import Observations


def teachers_in_process(
    registry: Registry,
    spec: MethodSpec,
    given: Mapping[str, Any],
    observations: Observations,
    context: RunContext,
) -> Fitted:
    """Return `RunContext.fitted` of a method, which fits its teachers to the same observations.

    Args:
        registry: where teachers are looked up.
        spec: the student.
        given: its parameters that differ from the defaults.
        observations: what it is fitted to.
        context: its context.
    """
    teachers = teachers_of_run(registry, spec, params_of_run(spec, given))
    declared = [Declared(method=t["key"], params=t["params"]) for t in teachers]

    def fit(number: int, method: Method, context: RunContext) -> None:
        can = registry.methods[declared[number]["method"]].capabilities
        if reason := incompatibility(can, observations):
            raise IncapableError(f"its teacher: {reason}")
        seed = context.seed if can.seeded else 0
        seed_generators(seed)
        seen = observations if can.images else replace(observations, images=None)
        method.fit(seen, replace(context, seed=seed))

    return Teachers(declared, registry, context, fit)
