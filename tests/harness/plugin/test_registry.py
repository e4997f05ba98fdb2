"""Plugins are found and checked, and a broken one breaks nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from liftbench import hookimpl
from liftbench.errors import UserError
from liftbench.plugin import registry
from liftbench.plugin.registry import load_registry
from liftbench.suites.suite import make_params

METHOD = """
from dataclasses import dataclass
from liftbench import MethodSpec, hookimpl

@dataclass(frozen=True)
class Params:
    pass

@hookimpl
def liftbench_methods():
    return [MethodSpec("{key}", "Title", "reference", object, Params)]
"""


def plugin(folder: Path, name: str, source: str) -> Path:
    path = folder / f"{name}.py"
    path.write_text(source, encoding="utf-8")
    return path


def hook(body: str, name: str = "liftbench_methods") -> str:
    return f"from liftbench import hookimpl\n\n@hookimpl\ndef {name}():\n    {body}\n"


def test_builtins_load() -> None:
    loaded = load_registry()
    assert not loaded.broken
    assert {"liftbench", "liftbench_plugins", "liftbench_datasets"} <= {
        plugin.name for plugin in loaded.plugins
    }
    assert {"zero_depth", "rigid", "deep_nrsfm"} <= set(loaded.methods.items)
    assert "cmu" in loaded.datasets.items
    assert "missing" in loaded.corruptions.items
    assert {"e3d", "mpjpe", "pa_mpjpe"} <= set(loaded.protocols.items)
    assert {"cmu", "quickstart"} <= set(loaded.suites.items)
    assert all(p.metric in loaded.metrics.items for p in loaded.protocols.items.values())


def test_plugin_file_registers(tmp_path: Path) -> None:
    path = plugin(tmp_path, "mine", METHOD.format(key="mine"))
    loaded = load_registry([path])
    assert loaded.methods["mine"].title == "Title"
    assert loaded.methods.sources["mine"] == str(path)


CORRUPTION = """
from liftbench import CorruptionParams, CorruptionSpec, hookimpl

@hookimpl
def liftbench_corruptions():
    return [CorruptionSpec("still", "Title", CorruptionParams, lambda seen, *_: seen)]
"""


def test_corruption_of_a_plugin_registers(tmp_path: Path) -> None:
    path = plugin(tmp_path, "mine", CORRUPTION)
    loaded = load_registry([path])
    assert loaded.corruptions.sources["still"] == str(path)


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("raise RuntimeError('two\\nlines')", "RuntimeError: two lines"),
        ("import no_such_module_anywhere", "ModuleNotFoundError"),
        ("def broken(:", "SyntaxError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        (hook("raise ValueError('in hook')"), "ValueError: in hook"),
        (hook("raise SystemExit(4)"), "SystemExit: 4"),
        (hook("return None"), "TypeError"),
        (hook("return ['text']"), "expected MethodSpec, got str"),
        (hook("return ['a.yaml']", "liftbench_suites"), "expected Path, got str"),
        (hook("return []", "liftbench_method"), "unknown hook 'liftbench_method'"),
        (METHOD.format(key="half") + hook("return 3", "liftbench_suites"), "TypeError"),
    ],
)
def test_broken_plugin_is_listed_and_breaks_nothing_else(
    tmp_path: Path, source: str, error: str
) -> None:
    bad = plugin(tmp_path, "bad", source)
    good = plugin(tmp_path, "good", METHOD.format(key="good"))
    loaded = load_registry([bad, good])
    (broken,) = loaded.broken
    assert (broken.name, broken.source) == ("bad", str(bad))
    assert error in str(broken.error)
    assert "\n" not in str(broken.error)
    assert {"good", "rigid"} <= set(loaded.methods.items)
    assert "half" not in loaded.methods.items, "a broken plugin registers nothing at all"


def test_error_of_a_plugin_names_its_place(tmp_path: Path) -> None:
    bad = plugin(tmp_path, "bad", "x = 1\nraise RuntimeError('here')\n")
    (broken,) = load_registry([bad]).broken
    assert str(broken.error).endswith(f"({bad}:2)")


def test_duplicate_key_names_both_sources(tmp_path: Path) -> None:
    first = plugin(tmp_path, "first", METHOD.format(key="same"))
    second = plugin(tmp_path, "second", METHOD.format(key="same"))
    with pytest.raises(UserError) as caught:
        load_registry([first, second])
    assert "method 'same'" in str(caught.value)
    assert str(first) in str(caught.value)
    assert str(second) in str(caught.value)


def test_a_second_plugin_of_the_same_name_leaves_the_first_intact(tmp_path: Path) -> None:
    clash = plugin(tmp_path, "liftbench_plugins", METHOD.format(key="mine"))
    loaded = load_registry([clash])
    assert "rigid" in loaded.methods.items
    assert "mine" in loaded.methods.items
    assert not loaded.broken


def test_two_files_of_one_name_both_load(tmp_path: Path) -> None:
    paths = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        own = f"Own_{folder} = int\n"
        params = METHOD.replace("    pass", f"    size: Own_{folder} = 3")
        source = "from __future__ import annotations\n" + own + params.format(key=f"m_{folder}")
        paths.append(plugin(tmp_path / folder, "plugin", source))
    loaded = load_registry(paths)
    for folder in ("a", "b"):
        params = make_params("it", loaded.methods[f"m_{folder}"].params, {"size": 4})
        assert params.size == 4, "the names in a file are its own"


def test_missing_file_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"absent\.py: no such file"):
        load_registry([tmp_path / "absent.py"])


def test_file_that_is_not_python_is_listed(tmp_path: Path) -> None:
    path = tmp_path / "plugin.txt"
    path.write_text("words", encoding="utf-8")
    (broken,) = load_registry([path]).broken
    assert "expected a Python file" in str(broken.error)


@dataclass
class FakeDistribution:
    name: str
    version: str


class FakePlugin:
    """The object that an installed plugin's entry point loads."""

    @hookimpl
    def liftbench_suites(self) -> list[Path]:
        return [Path("theirs.yaml")]


class FakeEntryPoint:
    value = "their.module"

    def __init__(self, name: str, loaded: object) -> None:
        self.name = name
        self.dist = FakeDistribution(f"dist-{name}", "2.1")
        self._loaded = loaded

    def load(self) -> object:
        if isinstance(self._loaded, BaseException):
            raise self._loaded
        return self._loaded


def test_entry_points_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def fake(*, group: str) -> list[FakeEntryPoint]:
        assert group == "liftbench"
        return [
            FakeEntryPoint("theirs", FakePlugin()),
            FakeEntryPoint("broken", ImportError("no torch")),
        ]

    monkeypatch.setattr(registry, "entry_points", fake)
    loaded = load_registry()
    assert list(loaded.suites.items) == ["theirs"]
    assert loaded.suites.sources["theirs"] == "dist-theirs 2.1"
    (broken,) = loaded.broken
    assert (broken.name, broken.source) == ("broken", "dist-broken 2.1")
    assert not loaded.methods.items, "the built-in methods come through entry points too"
    assert "e3d" in loaded.protocols.items


def test_duplicate_key_names_both_distributions(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [FakeEntryPoint("one", FakePlugin()), FakeEntryPoint("two", FakePlugin())]
    monkeypatch.setattr(registry, "entry_points", lambda **_: both)
    with pytest.raises(UserError, match=r"'theirs'.* dist-one 2\.1 and dist-two 2\.1"):
        load_registry()


def test_order_of_entry_points_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        EntryPoint("b", "liftbench_datasets", "liftbench"),
        EntryPoint("a", "liftbench_plugins", "liftbench"),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda **_: found)
    one = load_registry()
    found.reverse()
    other = load_registry()
    assert one.plugins == other.plugins
    assert list(one.methods.items) == list(other.methods.items)


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UserError, match=r"unknown method 'ridgid': did you mean 'rigid'\?"):
        load_registry().methods["ridgid"]
