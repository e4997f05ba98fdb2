"""The state of a fitted method on disk, as its child process writes and reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from liftbench.errors import UserError
from liftbench.plugin.registry import Registry
from liftbench.plugin.specs import (
    Fitted,
    Method,
    MethodSpec,
    RunContext,
    Teacher,
    TeachingMethod,
    no_teacher,
)
from liftbench.runs.exchange import Declared, KeptState
from liftbench.runs.fits.generators import remember_generators
from liftbench.runs.method_params import params_of_run, params_of_task
from liftbench.suites.suite import make_params

_PLAIN = (bool, int, float, str, type(None))


def make_method(spec: MethodSpec, params: Mapping[str, Any]) -> Method:
    """Return a new instance of a method from the parameters of a task."""
    checked = make_params(f"method '{spec.key}'", spec.params, dict(params))
    return spec.make(**vars(checked))


def save_state(method: Method, file: Path) -> None:
    """Write the state of a fitted method.

    Raises:
        TypeError: the state holds something else than tensors, numbers and strings.
    """
    import torch

    state = cast(TeachingMethod, method).state()
    _require_plain(state, "state()")
    torch.save(state, file)


def _require_plain(value: object, place: str) -> None:
    import torch

    if isinstance(value, dict):
        for name, part in value.items():
            _require_plain(part, f"{place}[{name!r}]")
    elif isinstance(value, (list, tuple)):
        for number, part in enumerate(value):
            _require_plain(part, f"{place}[{number}]")
    # Not isinstance: a float64 of NumPy is a float, but torch does not read it back.
    elif type(value) not in _PLAIN and not isinstance(value, torch.Tensor):
        raise TypeError(
            f"{place}: expected tensors, numbers and strings, got {type(value).__name__}"
        )


def restore_state(method: Method, kept: KeptState, context: RunContext) -> None:
    """Restore a method from a file; nothing but tensors, numbers and strings is read from it.

    Raises:
        UserError: the method does not take this state.
    """
    import torch

    try:
        state = torch.load(kept["file"], map_location="cpu", weights_only=True)
        cast(TeachingMethod, method).restore(state, context)
    except Exception as error:
        lines = str(error).splitlines() or [""]
        raise UserError(
            f"{kept['source']}: the method does not take this state "
            f"({type(error).__name__}: {lines[0]}); delete the folder, and it is fitted anew"
        ) from error


def restored_teachers(kept: Sequence[KeptState], registry: Registry, context: RunContext) -> Fitted:
    """Return `RunContext.fitted` of a student whose teachers are restored from their states."""

    def restore(number: int, method: Method, context: RunContext) -> None:
        restore_state(method, kept[number], context)

    return Teachers(kept, registry, context, restore)


@dataclass
class Teachers:
    """Hands out the teachers of a run; it is `RunContext.fitted`.

    Attributes:
        declared: method and parameters of each teacher, as in a run.
        registry: where methods are looked up.
        context: the context of the student.
        prepare: fits or restores the teacher with a number, a new instance.
    """

    declared: Sequence[KeptState | Declared]
    registry: Registry
    context: RunContext
    prepare: Callable[[int, Method, RunContext], None]
    ready: dict[int, Method] = field(default_factory=dict)

    def __call__(self, key: str, params: Mapping[str, Any]) -> Teacher:
        """Return a teacher; the random draws of the student do not depend on it.

        Raises:
            LookupError: the student has not declared this teacher.
            UserError: there is no such method, or it refuses the parameters.
        """
        wanted = params_of_run(self.registry.methods[key], params)
        for number, teacher in enumerate(self.declared):
            if (teacher["method"], teacher["params"]) == (key, wanted):
                if number not in self.ready:
                    self.ready[number] = self._prepare(number, key, wanted)
                return cast(Teacher, self.ready[number])
        return no_teacher(key, params)

    def _prepare(self, number: int, key: str, params: Mapping[str, Any]) -> Method:
        spec = self.registry.methods[key]
        method = make_method(spec, params_of_task(spec, params))
        scratch = self.context.scratch / f"teacher-{number}"
        scratch.mkdir(exist_ok=True)
        set_back = remember_generators()
        try:
            self.prepare(
                number, method, replace(self.context, scratch=scratch, progress=_show_nothing)
            )
        finally:
            set_back()
        return method


def _show_nothing(_step: int, _steps: int, _loss: float) -> None:
    """Take the place of a student's progress while its teacher is at work."""
