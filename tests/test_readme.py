"""Every command of the README works: on tiny data, and on real data where there is any."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from packaging.requirements import Requirement
from tests.harness.conftest import PLUGINS, TinyBench

from liftbench.cli import main
from liftbench.plugin.registry import load_registry
from liftbench.suites.suite import read_suite

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
STEPS = [shlex.split(step) for block in BLOCKS for step in re.split(r"\n| && ", block.strip())]
TABLE = [shlex.split(words) for words in re.findall(r"^\| `(liftbench [^`]+)` \|", README, re.M)]
CALLS = [words[1:] for words in (*STEPS, *TABLE) if words[0] == "liftbench"]


def parse(words: list[str]) -> click.Context:
    """Return the context of a command line; an unknown command or option raises."""
    command: click.Command = main
    # A command remembers the names of its help option, which come from the group's context.
    group = click.Context(main, info_name="liftbench", **main.context_settings)
    while isinstance(command, click.Group):
        command, words = command.commands[words[0]], words[1:]
    return command.make_context(command.name, list(words), parent=group)


def test_readme_is_short() -> None:
    assert len(README.split()) <= 900


def test_the_first_command_installs_runs_and_stays_active() -> None:
    first, second = BLOCKS[:2]
    assert len(first.splitlines()) == len(second.splitlines()) == 1
    venv, activate, install, run = [shlex.split(step) for step in first.split(" && ")]
    assert venv == ["python3", "-m", "venv", ".venv"]
    assert activate == [".", ".venv/bin/activate"]
    assert install == ["pip", "install", "-c", "constraints.txt", "-e", "."]
    assert run == ["liftbench", "run", "quickstart"]


def test_the_second_command_runs_the_tests() -> None:
    install, run = [shlex.split(step) for step in BLOCKS[1].strip().split(" && ")]
    assert install == ["pip", "install", "-c", "constraints.txt", "tox"]
    assert run == ["tox"]
    assert "env_list = tests" in (ROOT / "tox.ini").read_text(encoding="utf-8")
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert "tox" in {Requirement(pin).name for pin in pins if not pin.startswith("#")}


def test_every_step_is_of_a_known_kind() -> None:
    """A new kind of command in the README needs a test here."""
    others = {words[0] for words in STEPS} - {"liftbench"}
    assert others == {"python3", ".", "pip", "tox"}
    pips = [words for words in STEPS if words[0] == "pip"]
    assert pips[2:] == [["pip", "install", "-e", "mymethod"]]
    assert len(CALLS) >= 18


@pytest.mark.parametrize("words", CALLS, ids=" ".join)
def test_command_and_options_exist(words: list[str], tmp_path: Path) -> None:
    parse(words)


def test_names_in_the_commands_exist() -> None:
    registry = load_registry()
    for name in ("quickstart", "cmu", "h36m_standin"):
        assert name in registry.suites.items
    assert "39" in read_suite(registry.suites["cmu"]).data[0].subsets
    assert "cmu" in registry.datasets.items
    assert "rigid" in registry.methods.items


@pytest.fixture
def tiny(tmp_path: Path, no_torch: str, monkeypatch: pytest.MonkeyPatch) -> TinyBench:
    """A tiny bench in the folder that commands are called in, with a suite that has a sweep."""
    bench = TinyBench(tmp_path)
    bench.add_subset("one")
    bench.suite(methods={"filling": {}, "seeded": {}}, sweep=[{"noise_ratio": {"ratio": [0, 0.1]}}])
    monkeypatch.setenv("PYTHONPATH", no_torch)
    monkeypatch.setenv("LIFTBENCH_DATA", str(bench.root))
    monkeypatch.chdir(tmp_path)
    return bench


def key_of(method: str, bench: TinyBench) -> str:
    """Return the key of a stored run of a method on clean data, or nothing before there is one."""
    specs = [record.spec for record in bench.store().records()]
    return next((s.key for s in specs if s.method["key"] == method and not s.corruption), "")


def on_tiny_data(words: list[str], bench: TinyBench) -> list[str]:
    """Return a command line of the README with the names of the tiny bench in place of its own."""
    stand_ins = {
        "SUITE": "small.yaml",
        "A": "filling",
        "B": "seeded",
        "DATA": str(bench.root),
        "39": "one",
        "KEY": key_of("filling", bench),
        "0,0.1,0.2": "0,0.1",
        "0,30,60": "0,30",
    }
    if words[0] in ("run", "sweep", "table"):
        stand_ins |= {"quickstart": "small.yaml", "cmu": "small.yaml"}
    given = [f"--plugin={PLUGINS / 'tiny.py'}"]
    if (written := Path("mymethod/src/mymethod/__init__.py")).exists():
        given += [f"--plugin={written}"]  # in place of its installation
    if words[0] in ("run", "sweep") and "--methods" not in words:
        rows = ["--methods", "filling" if words[0] == "sweep" else "filling,seeded"]
        words = [*words, *rows]
    return [*given, *(stand_ins.get(word, word) for word in words)]


def call(words: list[str]) -> Result:
    return CliRunner().invoke(main, words, catch_exceptions=False)


def test_every_command_works_in_the_order_of_the_readme(tiny: TinyBench) -> None:
    printed = {}
    for words in CALLS:
        if words[:2] == ["plugins", "check"]:
            continue  # tests/harness/plugin/test_scaffold.py has the checks of a written package
        result = call(on_tiny_data(words, tiny))
        assert result.exit_code == 0, f"liftbench {' '.join(words)}: {result.output}"
        printed[" ".join(words)] = result.stdout
    assert "| seeded" in printed["run quickstart"]
    assert "| mymethod" in printed["run quickstart --methods mymethod,rigid"]
    assert "mocap.cs.cmu.edu" in printed["data info cmu"]
    assert printed["table cmu"].startswith("#")
    assert "identical bit for bit" in printed["rerun KEY --verify"]
    assert "tiny" in printed["data list"]
    sweeps = list((tiny.results / "small" / "sweep").glob("*.csv"))
    assert len(sweeps) == 4  # the suite's own grid and the README's, each with its robustness
    assert (tiny.results / "small" / "report.html").stat().st_size > 10_000


def test_the_table_of_cmu_on_real_data(
    shared_data: Path, tmp_path: Path, no_torch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", no_torch)
    monkeypatch.chdir(tmp_path)
    for words in CALLS:
        if words[1] != "cmu" or words[0] not in ("run", "table", "sweep"):
            continue
        real = [str(shared_data) if word == "DATA" else word for word in words]
        real += [] if words[0] == "table" else ["--methods", "zero_depth", "--subsets", "39"]
        real += [] if "--data-root" in words else ["--data-root", str(shared_data)]
        real += ["--dry-run"] if words[0] == "sweep" else []
        result = call(real)
        assert result.exit_code == 0, f"liftbench {' '.join(real)}: {result.output}"
    board = (tmp_path / "results/cmu/leaderboard.md").read_text("utf-8")
    assert "zero_depth" in board
