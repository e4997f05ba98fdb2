"""Parameters of methods in their three forms: in a suite, in a run's key, in a call of a method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from liftbench.errors import UserError
from liftbench.plugin.registry import Registry
from liftbench.plugin.specs import MethodSpec, TeacherRef
from liftbench.suites.suite import make_params


def make_method_params(owner: str, spec: MethodSpec, given: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Return the parameter dataclass of a method filled with `given` over its defaults.

    Raises:
        UserError: a name is unknown or retired, or a value is refused; `owner` says whose
            parameters.
    """
    for name in given:
        if name in spec.retired_params:
            raise UserError(
                f"{owner}: {name}: no longer an option, it is always "
                f"{spec.retired_params[name]!r}; remove it"
            )
    return make_params(owner, spec.params, dict(given))


def method_of_run(spec: MethodSpec, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return key, version and all parameters of a method, as in a run's key."""
    return {"key": spec.key, "version": spec.version, "params": params_of_run(spec, given)}


def teachers_of_run(
    registry: Registry, spec: MethodSpec, params: Mapping[str, Any]
) -> tuple[dict[str, Any], ...]:
    """Return key, version and all parameters of each teacher of a method.

    A teacher that is unknown or refuses its parameters has no version; it fails when it is needed.

    Args:
        registry: where methods are looked up.
        spec: the student.
        params: its parameters, as in a run's key.
    """
    return tuple(_teacher_of_run(registry, teacher) for teacher in spec.teachers(params))


def _teacher_of_run(registry: Registry, teacher: TeacherRef) -> dict[str, Any]:
    try:
        return method_of_run(registry.methods[teacher.key], teacher.params)
    except UserError:
        return {"key": teacher.key, "params": jsonable(teacher.params)}


def params_of_run(spec: MethodSpec, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return all parameters of a run for its key: given values, defaults and retired options."""
    params = asdict(make_method_params(f"method '{spec.key}'", spec, given))
    return jsonable({**params, **spec.retired_params})


def params_of_task(spec: MethodSpec, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a run that its method still takes, without the retired ones.

    Raises:
        UserError: the run has another value of a retired option than its constant.
    """
    for name, constant in jsonable(spec.retired_params).items():
        if params.get(name, constant) != constant:
            raise UserError(
                f"method '{spec.key}': {name}: the run has {params[name]!r}, which is no longer an "
                f"option: it is always {constant!r}; run the suite again"
            )
    return {name: value for name, value in params.items() if name not in spec.retired_params}


def jsonable(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters as they come back from JSON, so that a key survives the store."""
    return {k: list(v) if isinstance(v, tuple) else v for k, v in params.items()}
