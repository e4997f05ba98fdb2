"""The claims of SECURITY.md: no file that liftbench reads can run code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("harness", "plugins", "datasets")
# Each may run code from a file, unless the call has this argument.
RISKY = {
    "eval": None,
    "exec": None,
    "pickle.load": None,
    "pickle.loads": None,
    "pickle.Unpickler": None,
    "joblib.load": None,
    "yaml.load": None,
    "yaml.unsafe_load": None,
    "yaml.full_load": None,
    "np.load": ("allow_pickle", False),
    "np.lib.npyio.NpzFile": ("allow_pickle", False),
    "torch.load": ("weights_only", True),
}
# The conformance kit pickles a spec and reads its own bytes back.
ALLOWED = {("harness/liftbench/testing/spec_checks.py", "pickle.loads")}


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """Yield the file and the name of every call in the source, and the call."""
    for source in SOURCES:
        for path in sorted((ROOT / source).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    yield str(path.relative_to(ROOT)), ast.unparse(node.func), node


def is_safe(call: ast.Call, needed: tuple[str, bool] | None) -> bool:
    """Return whether a call has the argument that makes it safe."""
    if needed is None:
        return False
    given = {k.arg: k.value.value for k in call.keywords if isinstance(k.value, ast.Constant)}
    return given.get(needed[0]) is needed[1]


def test_no_call_runs_code_from_a_file() -> None:
    wrong = {
        (file, name)
        for file, name, call in calls()
        if name in RISKY and not is_safe(call, RISKY[name])
    }
    assert wrong == ALLOWED


def test_the_safe_calls_are_there() -> None:
    """A rule that finds no call would always hold."""
    names = {name for _, name, _ in calls()}
    assert {"np.lib.npyio.NpzFile", "torch.load", "yaml.safe_load", "read_pickle"} <= names
