"""The command: what it prints, where, and its exit codes."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner, Result

from liftbench.cli import main
from liftbench.cli.options import find_root
from liftbench.runs import execute

if TYPE_CHECKING:
    from tests.harness.conftest import TinyBench


def call(*words: str) -> Result:
    return CliRunner().invoke(main, words, catch_exceptions=False)


def commands(group: click.Group, *path: str) -> list[tuple[str, ...]]:
    found = [path]
    for name, command in group.commands.items():
        inner = (*path, name)
        found += commands(command, *inner) if isinstance(command, click.Group) else [inner]
    return found


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, no data root and no way to start a run."""
    folder = tmp_path / "cwd"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("LIFTBENCH_DATA", raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")

    def never(*_: object) -> None:
        raise AssertionError("a run was started")

    monkeypatch.setattr(execute, "run_child", never)
    return folder


def one_line(result: Result, message: str) -> None:
    """The command ended with code 2 and one line on standard error."""
    assert result.exit_code == 2
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("liftbench: ")
    assert message in line


@pytest.mark.parametrize("path", commands(main), ids=" ".join)
def test_every_command_has_help(path: tuple[str, ...]) -> None:
    for option in ("--help", "-h"):
        result = call(*path, option)
        assert result.exit_code == 0
        assert result.stdout.startswith("Usage:")
        assert len(result.stdout.splitlines()) > 4


def test_every_option_has_help() -> None:
    for path in commands(main):
        command: click.Command = main
        for name in path:
            assert isinstance(command, click.Group)
            command = command.commands[name]
        for param in command.params:
            if isinstance(param, click.Option):
                assert param.help, (path, param.name)


def test_version() -> None:
    assert "0.1.0" in call("--version").stdout


# --- mistakes of the user ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["rnu", "quickstart"], "unknown command 'rnu': did you mean 'run'?"),
        (["plugins", "lst"], "unknown command of 'plugins' 'lst': did you mean 'list'?"),
        (["data", "inof", "cmu"], "unknown command of 'data' 'inof': did you mean 'info'?"),
        (["run", "quickstrat"], "unknown suite 'quickstrat': did you mean 'quickstart'?"),
        (["table", "quickstrat"], "unknown suite 'quickstrat'"),
        (["score", "quickstrat"], "unknown suite 'quickstrat'"),
        (["run", "absent.yaml"], "absent.yaml: No such file"),
        (["run", "quickstart", "--methods", "ridgid"], "unknown method 'ridgid'"),
        (["run", "quickstart", "--datasets", "cmuu"], "dataset in suite 'quickstart' 'cmuu'"),
        (["run", "quickstart", "--subsets", "al"], "subset in suite 'quickstart' 'al'"),
        (["run", "quickstart", "--data-root", "gone"], "--data-root gone: no such folder"),
        (["score", "quickstart", "--protocol", "e3"], "unknown protocol 'e3'"),
        (["rerun", "abc"], "no stored run under results"),
        (["compare", "a", "b"], "a: no stored runs; expected a folder of results"),
        (["compare", "a", "rigid", "--suite", "quickstart"], "method of suite 'quickstart' 'a'"),
        (["compare", "a", "b", "--suite", "quickstrat"], "unknown suite 'quickstrat'"),
        (["data", "info", "cmuu"], "unknown dataset 'cmuu': did you mean 'cmu'?"),
        (["data", "check", "cmuu"], "unknown dataset 'cmuu'"),
        (["data", "list", "--data-root", "gone"], "--data-root gone: no such folder"),
        (["--plugin", "gone.py", "plugins", "list"], "--plugin gone.py: no such file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistake_is_reported_in_one_line_and_nothing_is_written(
    nowhere: Path, words: list[str], message: str
) -> None:
    one_line(call(*words), message)
    assert list(nowhere.iterdir()) == []


def test_data_root_of_the_environment_that_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIFTBENCH_DATA", "gone")
    one_line(call("run", "quickstart"), "$LIFTBENCH_DATA gone: no such folder")


def test_data_root_is_the_option_then_the_variable_then_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    assert find_root(None) == tmp_path / "home" / ".cache" / "liftbench"
    monkeypatch.setenv("LIFTBENCH_DATA", "")
    assert find_root(None) == tmp_path / "home" / ".cache" / "liftbench"
    monkeypatch.setenv("LIFTBENCH_DATA", str(tmp_path / "b"))
    assert find_root(None) == tmp_path / "b"
    assert find_root(tmp_path / "a") == tmp_path / "a"


@pytest.mark.parametrize(
    "words",
    [
        ["run"],
        ["compare", "a"],
        ["run", "quickstart", "--seeds", "0"],
        ["run", "quickstart", "--jobs", "many"],
        ["run", "quickstart", "--rerun", "some"],
        ["run", "quickstart", "--colour", "red"],
        ["table", "quickstart", "--format", "docx"],
    ],
    ids=" ".join,
)
def test_wrong_use_has_exit_code_2(nowhere: Path, words: list[str]) -> None:
    result = call(*words)
    assert result.exit_code == 2
    assert "Error: " in result.stderr
    assert list(nowhere.iterdir()) == []


def test_mistake_in_a_suite_is_reported_with_its_place(bench: TinyBench) -> None:
    path = bench.suite(limits={"secnds": 3})
    one_line(bench.call("run", path), f"{path}: limits.secnds: unknown key 'secnds'")


def test_damaged_store_is_reported(finished: TinyBench) -> None:
    path = finished.store().record_path(finished.records()["rigid"].spec.key)
    path.write_text("{", encoding="utf-8")
    suite = finished.folder / "small.yaml"
    for command in ("run", "table"):
        one_line(finished.call(command, suite), f"{path}: not a whole run record")
    scored = finished.call("score", suite)
    assert scored.exit_code == 2
    assert len(scored.stderr.splitlines()) == 1


# --- tables ------------------------------------------------------------------------------------


def test_run_prints_the_table_that_it_writes(finished: TinyBench) -> None:
    suite = finished.folder / "small.yaml"
    result = finished.call("run", suite, "--methods", "rigid,seeded")
    assert result.exit_code == 0
    folder = finished.store().folder
    assert result.stdout.strip() == (folder / "leaderboard.md").read_text(encoding="utf-8").strip()
    for method in ("rigid", "seeded", "urandom", "zero_depth"):
        assert f"| {method}" in result.stdout, "the table is of the whole suite"


def test_table_shows_stored_runs_and_writes_nothing(finished: TinyBench) -> None:
    suite = finished.folder / "small.yaml"
    before = sorted(finished.results.rglob("*"))
    result = finished.call("table", suite, "--format", "csv")
    rows = {(r["method"], r["split"]): r for r in csv.DictReader(io.StringIO(result.stdout))}
    assert rows["seeded", "train"]["n_seeds"] == "2"
    assert rows["urandom", "unseen"]["status"] == "ok"
    assert rows["zero_depth", "train"]["status"] == "not_run"
    assert float(rows["rigid", "train"]["value"]) == pytest.approx(
        finished.records()["rigid"].scores["e3d@1"]["train"].value, rel=1e-5
    )
    assert "| rigid" in finished.call("table", suite).stdout
    assert sorted(finished.results.rglob("*")) == before


def test_table_needs_no_data(finished: TinyBench) -> None:
    suite = finished.folder / "small.yaml"
    with_data = [finished.call("table", suite, "--format", f).stdout for f in ("csv", "md")]
    (finished.root / "tiny" / "one.npy").unlink()
    without = [finished.call("table", suite, "--format", f).stdout for f in ("csv", "md")]
    assert without == with_data


@pytest.mark.parametrize(
    ("form", "start", "printed"),
    [
        ("md", "# Small", "# Small: printed and ours"),
        ("csv", "suite,dataset,", "suite,dataset,subset,split,setting,method,protocol,printed_in"),
        ("latex", "% \\usepackage", "% \\usepackage"),
        ("html", "<!doctype html>", "<!doctype html>"),
    ],
)
def test_table_in_each_format(finished: TinyBench, form: str, start: str, printed: str) -> None:
    suite = finished.suite(methods={"seeded": {}}, published=[{"paper": "p", "table": "T1"}])
    words = ("table", suite, "--format", form)
    assert finished.call(*words).stdout.startswith(start)
    assert finished.call(*words, "--published").stdout.startswith(printed)


def test_suite_without_a_printed_table_has_no_printed_numbers(nowhere: Path) -> None:
    one_line(call("table", "quickstart", "--published"), "'quickstart' reproduces no printed table")


def test_table_all_writes_the_page_and_the_leaderboards(
    finished: TinyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = finished.folder / "small.yaml"
    plugin = finished.folder / "with_suite.py"
    plugin.write_text(
        "from pathlib import Path\nfrom liftbench import hookimpl\n\n@hookimpl\n"
        f"def liftbench_suites():\n    return [Path({str(suite)!r})]\n",
        encoding="utf-8",
    )
    words = finished.words("table", "--all")
    written = finished.store().folder / "leaderboard.md"
    written.unlink()
    result = finished.call_plainly([f"--plugin={plugin}", *words])
    page = (finished.results / "README.md").read_text(encoding="utf-8")
    assert "1 of them with runs" in result.stdout
    assert "[small](small/leaderboard.md)" in page
    assert written.exists()
    assert sorted(path.name for path in finished.results.iterdir()) == ["README.md", "small"]
    assert str(finished.folder) not in page
    for table in ("| T1 ", "| T3a ", "| T10 "):
        assert table in page
    assert "liftbench data info h36m" in page
    finished.call_plainly([f"--plugin={plugin}", *words])
    assert (finished.results / "README.md").read_text(encoding="utf-8") == page


@pytest.mark.parametrize("words", [[], ["quickstart", "--all"], ["--all", "--format", "csv"]])
def test_table_needs_a_suite_or_all(nowhere: Path, words: list[str]) -> None:
    one_line(call("table", *words), "table: expected a suite, or --all without --format")
    assert list(nowhere.iterdir()) == []


# --- comparisons -------------------------------------------------------------------------------


def marks(result: Result) -> dict[tuple[str, str], str]:
    rows = [line.strip("|").split("|") for line in result.stdout.splitlines() if line[:1] == "|"]
    return {(row[0].strip(), row[1].strip()): row[-1].strip() for row in rows[2:]}


def test_compare_methods_of_a_suite(finished: TinyBench) -> None:
    before = sorted(finished.results.rglob("*"))
    suite = finished.folder / "small.yaml"
    result = finished.call("compare", "seeded", "rigid", "--suite", suite)
    assert result.exit_code == 0
    few = "x (1 sequence, 6 needed)"
    assert marks(result) == {("one", "train"): few, ("one", "unseen"): few}
    for text in ("A: seeded", "B: rigid", "sign-flip permutation test", "Protocol e3d@1"):
        assert text in result.stdout
    assert sorted(finished.results.rglob("*")) == before


def test_compare_marks_a_row_that_sees_the_truth(finished: TinyBench) -> None:
    suite = finished.suite(methods={"seeded": {}, "seeing": {"plugin": "supervised_points"}})
    result = finished.call("compare", "seeing", "seeded", "--suite", suite)
    assert result.exit_code == 0
    for text in ("# seeing‡ and seeded", "A: seeing‡", "B: seeded\n", "‡ marks a control"):
        assert text in result.stdout


def test_compare_result_folders(finished: TinyBench) -> None:
    folder = finished.store().folder
    result = finished.call("compare", folder, finished.results)
    assert result.exit_code == 0
    for method in ("seeded", "urandom", "rigid"):
        assert f"## {method}, tiny" in result.stdout
    assert "seeded, tiny" in result.stdout
    assert "+0.0000" in result.stdout


def test_compare_without_the_data(finished: TinyBench) -> None:
    (finished.root / "tiny" / "one.npy").unlink()
    suite = finished.folder / "small.yaml"
    result = finished.call("compare", "seeded", "rigid", "--suite", suite)
    assert result.exit_code == 0
    assert marks(result)["one", "train"] == "x (tiny: looked for DATA_ROOT/tiny/one.npy)"


def test_absent_data_is_shown_and_is_not_a_failure(bench: TinyBench) -> None:
    (bench.root / "tiny" / "one.npy").unlink()
    result = bench.call("run", bench.suite())
    assert result.exit_code == 0
    assert "n/a" in result.stdout
    assert "not available: tiny: looked for DATA_ROOT/tiny/one.npy" in result.stdout
    assert f"DATA_ROOT is {bench.root}" in result.stderr


# --- plugins and data --------------------------------------------------------------------------


def test_plugins_list_shows_what_is_there_and_what_is_broken(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("raise RuntimeError('no luck')", encoding="utf-8")
    result = call("--plugin", str(broken), "plugins", "list")
    assert result.exit_code == 0
    (line,) = (line for line in result.stdout.splitlines() if line.startswith("broken"))
    assert str(broken) in line
    assert "RuntimeError: no luck" in line
    for name in ("zero_depth", "cmu", "e3d", "quickstart", "loaded"):
        assert name in result.stdout


def test_other_commands_warn_of_a_broken_plugin(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("raise RuntimeError('no luck')", encoding="utf-8")
    result = call("--plugin", str(broken), "data", "list")
    assert result.exit_code == 0
    assert "plugin 'broken' did not load: RuntimeError: no luck" in result.stderr
    assert "cmu" in result.stdout


def states(result: Result) -> dict[str, list[str]]:
    return {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines() if line}


def test_data_list_says_what_is_found(bench: TinyBench) -> None:
    (bench.root / "cmu" / "07").mkdir(parents=True)
    (bench.root / "cmu" / "07" / "07.asf").touch()
    bench.add_subset("two")
    result = bench.call("data", "list", "--data-root", bench.root)
    assert result.exit_code == 0
    assert f"data root: {bench.root}" in result.stdout
    assert states(result)["cmu"][:2] == ["found", "07"]
    assert states(result)["tiny"][:3] == ["found", "one,", "two"]
    empty = call("data", "list")
    assert states(empty)["cmu"][0] == "absent"
    assert states(empty)["synthetic_body"][0] == "synthetic"


def test_data_info_says_where_to_get_it() -> None:
    result = call("data", "info", "cmu")
    assert result.exit_code == 0
    for text in ("mocap.cs.cmu.edu", "absent", "<NN>/<NN>.asf", "train, unseen", "NSF"):
        assert text in result.stdout


def test_data_check_tells_whole_from_damaged(bench: TinyBench) -> None:
    words = ("data", "check", "tiny", "--data-root", bench.root)
    whole = bench.call(*words)
    assert (whole.exit_code, whole.stdout) == (0, "ok   one: 8 frames\n")
    (bench.root / "tiny" / "two.npy").write_bytes(b"damaged")
    damaged = bench.call(*words)
    assert damaged.exit_code == 1
    assert damaged.stdout.splitlines() == [
        "ok   one: 8 frames",
        f"FAIL two: {bench.root / 'tiny' / 'two.npy'}: damaged",
    ]


def test_data_check_of_absent_files() -> None:
    result = call("data", "check", "cmu")
    assert result.exit_code == 1
    assert result.stdout.startswith("FAIL archive: cmu: no <NN>/<NN>.asf under ")
