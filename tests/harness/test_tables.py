"""Leaderboards: our numbers beside the printed ones, as CSV and as Markdown."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from liftbench.errors import UserError
from liftbench.plan import Cell, Plan
from liftbench.published import PublishedNumber, read_published
from liftbench.registry import Registry
from liftbench.store import RunRecord, RunSpec, Score, Store
from liftbench.suites import Suite
from liftbench.tables import Leaderboard, make_leaderboard, to_csv, to_markdown, write_leaderboard

HEADER = (
    "suite,dataset,subset,split,setting,method,protocol,metric,unit,value,std,n_seeds,coverage,"
    "published,published_source,status,fit_seconds,predict_seconds,key"
)
NUMBER = PublishedNumber(
    "paper", "T1", "tiny", "one", "train", "", "ours", "e3d", "ratio", 0.5, None, ""
)


class Board:
    """Gathers cells, their stored runs and printed numbers into a leaderboard."""

    def __init__(self, folder: Path, registry: Registry) -> None:
        self.store = Store(folder / "small")
        self.registry = registry
        self.cells: list[Cell] = []
        self.published: list[PublishedNumber] = []
        self.suite: dict[str, Any] = {
            "name": "small",
            "title": "Small table",
            "protocol": "e3d",
            "data": [
                {"dataset": "tiny", "subsets": ["one"], "fit": "train", "evaluate": ["train"]}
            ],
            "methods": {"ours": {}},
            "published": [{"paper": "paper", "table": "T1"}],
        }

    def add(
        self,
        method: str,
        *values: float | str | None,
        subset: str = "one",
        setting: str = "",
        splits: tuple[str, ...] = ("train",),
        **fields: Any,
    ) -> tuple[RunSpec, ...]:
        """Add a cell whose runs have these values; text is a status, None is not run."""
        specs = tuple(
            RunSpec(
                {"key": "tiny", "subset": subset, "params": setting},
                "train",
                splits,
                {"key": method},
                seed,
            )
            for seed in range(len(values))
        )
        for spec, value in zip(specs, values, strict=True):
            if isinstance(value, str):
                self.store.write(RunRecord(spec, value, error="first line\nsecond"))  # type: ignore[arg-type]
            elif value is not None:
                scores = {"e3d@1": {split: Score(value, {}, 8) for split in splits}}
                self.store.write(RunRecord(spec, "ok", scores, **fields))
        self.cells.append(Cell(method, "tiny", subset, setting, "train", splits, specs, len(specs)))
        return specs

    def add_absent(self, method: str, subset: str = "one") -> None:
        cell = Cell(method, "tiny", subset, "", "train", ("train",), (), 1, "no file x")
        self.cells.append(cell)

    def make(self) -> Leaderboard:
        plan = Plan(Suite(**self.suite), tuple(self.cells), ("tiny one: a note",))
        return make_leaderboard(plan, self.store, self.registry, self.published)

    def csv(self) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(to_csv(self.make()))))

    def markdown(self) -> str:
        return to_markdown(self.make())


@pytest.fixture
def board(tmp_path: Path, registry: Registry) -> Board:
    return Board(tmp_path, registry)


def test_csv_is_as_the_contract_has_it(board: Board) -> None:
    (spec, _) = board.add("ours", 0.25, 0.75, fit_seconds=2.0, predict_seconds=0.5)
    board.published = [NUMBER]
    assert to_csv(board.make()).splitlines() == [
        HEADER,
        "small,tiny,one,train,,ours,e3d@1,e3d,ratio,0.5,0.353553,2,1,0.5,paper T1,ok,2,0.5,"
        f"{spec.key}",
    ]


def test_header_stands_without_rows(board: Board) -> None:
    assert to_csv(board.make()) == f"{HEADER}\n"


def test_mean_and_spread_are_over_the_seeds(board: Board) -> None:
    board.add("three", 0.1, 0.2, 0.6)
    board.add("one", 0.125)
    three, one = board.csv()
    assert (three["value"], three["n_seeds"], three["coverage"]) == ("0.3", "3", "1")
    assert float(three["std"]) == pytest.approx(0.2645751)
    assert (one["value"], one["std"], one["n_seeds"]) == ("0.125", "", "1")


def test_each_split_is_a_row(board: Board) -> None:
    board.add("ours", 0.5, splits=("train", "unseen"))
    assert [row["split"] for row in board.csv()] == ["train", "unseen"]


def test_only_numbers_of_the_protocol_count(board: Board) -> None:
    (spec,) = board.add("ours", 0.5)
    other = RunRecord(spec, "ok", {"e3d@2": {"train": Score(0.1, {}, 8)}})
    board.store.write(other)
    (row,) = board.csv()
    assert (row["value"], row["status"]) == ("", "not_run")


def test_unit_of_a_length(board: Board) -> None:
    board.suite["protocol"] = "mpjpe"
    board.add("ours", None)
    (row,) = board.csv()
    assert (row["protocol"], row["metric"], row["unit"]) == ("mpjpe@1", "mpjpe", "length")


# --- rows without a number ---------------------------------------------------------------------


@pytest.mark.parametrize("status", ["failed", "timeout", "out_of_memory", "skipped"])
def test_status_takes_the_place_of_a_number(board: Board, status: str) -> None:
    board.add("ours", status)
    (row,) = board.csv()
    assert (row["status"], row["value"], row["coverage"]) == (status, "", "0")
    text = board.markdown()
    assert f"| ours     | {status.replace('_', ' ')}" in text
    assert f"- ours tiny one seed 0: {status}: first line\n" in text
    assert "second" not in text


def test_seed_that_failed_lowers_the_coverage(board: Board) -> None:
    first, *_ = board.add("ours", 0.25, "failed", 0.75, None)
    (row,) = board.csv()
    assert (row["value"], row["n_seeds"], row["coverage"]) == ("0.5", "2", "0.5")
    assert (row["status"], row["key"]) == ("failed", first.key)
    assert "**0.500 ± 0.354 (n=2)** [failed, 50% of seeds]" in board.markdown()


def test_absent_data_is_not_available(board: Board) -> None:
    board.add_absent("ours")
    board.add_absent("other")
    assert [(r["status"], r["key"]) for r in board.csv()] == [("not_available", "")] * 2
    text = board.markdown()
    assert "n/a" in text
    assert text.count("- tiny one: not available: no file x\n") == 1


def test_run_that_is_not_there_leaves_the_cell_empty(board: Board) -> None:
    board.add("ours", None)
    board.add("other", 0.5)
    assert [row["status"] for row in board.csv()] == ["not_run", "ok"]
    assert "Without a number" not in board.markdown()


def test_split_that_a_method_cannot_predict_is_skipped(board: Board) -> None:
    board.add("ours", 0.5)
    board.cells[0] = replace(board.cells[0], splits=("train", "unseen"))
    assert [row["status"] for row in board.csv()] == ["ok", "skipped"]


def test_training_that_was_cut_short_is_noted(board: Board) -> None:
    board.add("cut", 0.5, curve=((0, 100, 1.0), (60, 100, 0.5)))
    board.add("whole", 0.5, curve=((0, 100, 1.0), (100, 100, 0.5)))
    notes = board.make().notes
    assert [note for note in notes if "budget" in note] == [
        "cut tiny one seed 0: its time budget ended the training near step 60 of 100"
    ]


def test_what_a_mean_is_not_over_is_noted_once(board: Board) -> None:
    score = Score(0.5, {"car": 0.5}, 7, unscored=1, absent=("sofa", "boat"))
    for method in ("ours", "other"):
        (spec,) = board.add(method, None)
        board.store.write(RunRecord(spec, "ok", {"e3d@1": {"train": score}}))
    assert list(board.make().notes) == [
        "tiny one: a note",
        "tiny one train: 1 of 8 frames have nothing to be compared with",
        "tiny one train: no frame of 2 of 3 groups: sofa, boat",
    ]


# --- printed numbers ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"subset": "two"},
        {"split": "unseen"},
        {"dataset": "other"},
        {"metric": "mpjpe"},
        {"table": "T2"},
        {"paper": "another"},
        {"method": "theirs"},
        {"setting": "missing"},
    ],
)
def test_printed_number_must_be_of_the_very_cell(board: Board, elsewhere: dict[str, str]) -> None:
    board.add("ours", 0.5)
    board.published = [replace(NUMBER, **elsewhere)]
    row = board.csv()[0]
    assert (row["method"], row["published"], row["published_source"]) == ("ours", "", "")


def test_names_of_splits_settings_and_methods_are_translated(board: Board) -> None:
    board.suite["published"] = [
        {
            "paper": "paper",
            "table": "T1",
            "splits": {"unstated": "train"},
            "settings": {"noise=0": "clean"},
            "methods": {"printed": "ours"},
        }
    ]
    board.add("ours", 0.5, setting="clean")
    board.published = [
        replace(NUMBER, split="unstated", setting="noise=0", method="printed", value=0.125)
    ]
    assert [row["published"] for row in board.csv()] == ["0.125"]


def test_aliases_hold_for_their_table_alone(board: Board) -> None:
    board.suite["published"] = [
        {"paper": "paper", "table": "T1", "splits": {"unstated": "train"}},
        {"paper": "paper", "table": "T2"},
    ]
    board.add("ours", 0.5)
    board.published = [replace(NUMBER, split="unstated", table="T2")]
    assert [row["published"] for row in board.csv()] == [""]


def test_several_sources_of_one_cell_are_all_named(board: Board) -> None:
    board.suite["published"] = [{"paper": p, "table": "T1"} for p in ("paper", "later", "same")]
    board.add("ours", 0.5)
    board.published = [
        replace(NUMBER, paper="same"),
        replace(NUMBER, paper="later", value=0.75),
        NUMBER,
    ]
    (row,) = board.csv()
    assert row["published"] == "0.5", "the first in the order of the suite"
    assert row["published_source"] == "paper T1; also later T1: 0.75; also same T1"


def test_printed_row_of_a_method_that_is_not_here(board: Board) -> None:
    board.add("ours", 0.5)
    board.published = [
        replace(NUMBER, method="theirs", value=0.25),
        replace(NUMBER, method="theirs", subset="elsewhere"),
    ]
    _, row = board.csv()
    assert (row["method"], row["status"], row["value"]) == ("theirs", "published_only", "")
    assert (row["published"], row["published_source"]) == ("0.25", "paper T1")
    assert "| theirs   | (p 0.25)" in board.markdown()


def test_two_printed_rows_of_one_cell_are_one(board: Board) -> None:
    board.add("ours", 0.5)
    board.published = [replace(NUMBER, method="theirs", value=v) for v in (0.25, 0.75)]
    _, row = board.csv()
    assert row["published_source"] == "paper T1; also paper T1: 0.75"


def published_file(folder: Path, *rows: str) -> Path:
    path = folder / "printed.csv"
    header = "paper,table,dataset,subset,split,setting,method,metric,unit,value,std,note"
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return path


def test_printed_numbers_are_read(tmp_path: Path) -> None:
    rows = ["p,T1,cmu,01,train,,m,e3d,ratio,0.5,,", 'p,T1,cmu,NA,all,,m,e3d,ratio,1,0.25,"a, b"']
    first, second = read_published([published_file(tmp_path, *rows)])
    assert (first.subset, first.value, first.std, first.source) == ("01", 0.5, None, "p T1")
    assert (second.subset, second.value, second.std, second.note) == ("NA", 1.0, 0.25, "a, b")


def test_damaged_printed_numbers_are_told_with_their_line(tmp_path: Path) -> None:
    path = published_file(tmp_path, "p,T1,cmu,01,train,,m,e3d,ratio,much,,")
    with pytest.raises(UserError, match=r"printed\.csv line 2: .*'much'"):
        read_published([path])
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"printed\.csv line 1: expected columns paper,table"):
        read_published([path])


# --- what people read --------------------------------------------------------------------------

GOLDEN = """\
# Small table

Protocol `e3d@1`: {description}. Setting: no noise. Lower is better; the best of ours is bold. \
(p …) is the number that the paper prints; ± is the standard deviation over n seeds; \
n/a: the data is absent; an empty cell was not run.

## tiny, train

| method   | one                              | two       |
|----------|----------------------------------|-----------|
| ours     | **0.500 ± 0.354 (n=2)** (p 0.45) | **0.250** |
| flat     | 0.750                            | failed    |
| theirs   | (p 0.3)                          |           |

Notes:
- from the suite
- tiny one: a note

Without a number:
- flat tiny two seed 0: failed: first line
"""


def test_board_as_people_read_it(board: Board, registry: Registry) -> None:
    board.suite |= {"notes": ["from the suite"]}
    here = {"setting": "no noise"}
    board.add("ours", 0.25, 0.75, **here)
    board.add("ours", 0.25, subset="two", **here)
    board.add("flat", 0.75, **here)
    board.add("flat", "failed", subset="two", **here)
    board.published = [
        replace(NUMBER, value=0.45, **here),
        replace(NUMBER, method="theirs", value=0.3, **here),
    ]
    description = registry.protocols["e3d"].description
    assert board.markdown() == GOLDEN.format(description=description)


SETTINGS = """\
## tiny, train

| method   | one, clean    | two, clean   | one, noisy        |
|----------|---------------|--------------|-------------------|
| ours     | **0.250**     | **0.500**    | failed            |
| flat     | 0.750 (p 0.2) |              | **0.500** (p 0.4) |
| theirs   |               |              | (p 0.6)           |

## tiny, unseen, clean

| method   | two       |
|----------|-----------|
| ours     | **0.500** |
"""


def test_each_setting_of_a_subset_is_a_column(board: Board) -> None:
    board.add("ours", 0.25, setting="clean")
    board.add("flat", 0.75, setting="clean")
    board.add("ours", 0.5, setting="clean", subset="two", splits=("train", "unseen"))
    board.add("ours", "failed", setting="noisy")
    board.add("flat", 0.5, setting="noisy")
    board.published = [
        replace(NUMBER, method="flat", value=0.2, setting="clean"),
        replace(NUMBER, method="flat", value=0.4, setting="noisy"),
        replace(NUMBER, method="theirs", value=0.6, setting="noisy"),
        replace(NUMBER, method="theirs", value=0.8, setting="printed elsewhere"),
    ]
    assert [(r["method"], r["subset"], r["split"], r["setting"]) for r in board.csv()] == [
        ("ours", "one", "train", "clean"),
        ("flat", "one", "train", "clean"),
        ("ours", "two", "train", "clean"),
        ("ours", "two", "unseen", "clean"),
        ("ours", "one", "train", "noisy"),
        ("flat", "one", "train", "noisy"),
        ("theirs", "one", "train", "noisy"),
    ]
    text = board.markdown()
    assert SETTINGS in text
    assert "Setting:" not in text
    assert "- ours tiny one noisy seed 0: failed: first line" in text


def test_best_of_each_column_is_bold(board: Board) -> None:
    for method, one, two in (("a", 0.25, 0.75), ("b", 0.5, 0.5), ("c", 0.25, 0.625)):
        board.add(method, one)
        board.add(method, two, subset="two")
    lines = board.markdown().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("| a"))
    assert [
        [cell.strip() for cell in line.split("|")[1:4]] for line in lines[start : start + 3]
    ] == [
        ["a", "**0.250**", "0.750"],
        ["b", "0.500", "**0.500**"],
        ["c", "**0.250**", "0.625"],
    ]


def test_files_beside_the_runs(board: Board) -> None:
    board.add("ours", 0.25, 0.75, environment={"python": "3.11"})
    board.add("other", 0.5, environment={"python": "3.12"})
    made = board.make()
    write_leaderboard(made, board.store)
    folder = board.store.folder
    assert (folder / "leaderboard.csv").read_text(encoding="utf-8") == to_csv(made)
    assert (folder / "leaderboard.md").read_text(encoding="utf-8") == to_markdown(made)
    environments = json.loads((folder / "environment.json").read_text(encoding="utf-8"))
    assert sorted((e["python"], e["runs"]) for e in environments) == [("3.11", 2), ("3.12", 1)]
