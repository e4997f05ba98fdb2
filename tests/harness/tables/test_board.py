"""Leaderboards: stored numbers of a plan's cells and the printed ones of its tables."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from liftbench.errors import UserError
from liftbench.runs.store import RunRecord, Score
from liftbench.tables import Position, to_csv

if TYPE_CHECKING:
    from tests.harness.tables.conftest import Board

HEADER = (
    "suite,dataset,subset,split,setting,method,protocol,metric,unit,value,std,n_seeds,coverage,"
    "published,published_source,status,fit_seconds,predict_seconds,key"
)


def test_csv_has_the_documented_columns(board: Board) -> None:
    (spec, _) = board.add("ours", 0.25, 0.75, fit_seconds=2.0, predict_seconds=0.5)
    board.add_printed("0.5")
    assert to_csv(board.make()).splitlines() == [
        HEADER,
        "small,tiny,one,train,,ours,e3d@1,e3d,ratio,0.5,0.353553,2,1,0.5,paper T1,ok,2,0.5,"
        f"{spec.key}",
    ]


def test_csv_without_rows_has_its_header(board: Board) -> None:
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
    assert "trace" not in text


def test_seed_that_failed_lowers_the_coverage(board: Board) -> None:
    first, *_ = board.add("ours", 0.25, "failed", 0.75, None)
    (row,) = board.csv()
    assert (row["value"], row["n_seeds"], row["coverage"]) == ("0.5", "2", "0.5")
    assert (row["status"], row["key"]) == ("failed", first.key)
    assert "**0.500 ± 0.354†** (2 of 4 seeds, failed)" in board.markdown()


def test_score_of_a_run_that_is_not_ok_does_not_count(board: Board) -> None:
    first, second = board.add("ours", 0.25, None)
    scores = {"e3d@1": {"train": Score(0.75, {}, 8)}}
    board.store.write(RunRecord(second, "failed", scores, error="first line"))
    (row,) = board.csv()
    assert (row["value"], row["n_seeds"], row["status"]) == ("0.25", "1", "failed")
    assert row["key"] == first.key


def test_the_first_bad_status_is_shown(board: Board) -> None:
    board.add("ours", 0.25, "timeout", "failed")
    assert [row["status"] for row in board.csv()] == ["timeout"]


def test_seconds_are_means_over_the_runs_that_have_them(board: Board) -> None:
    specs = board.add("ours", None, None, None)
    for spec, fit in zip(specs, (1.0, 0.0, None), strict=True):
        scores = {"e3d@1": {"train": Score(0.5, {}, 8)}}
        record = RunRecord(spec, "ok", scores, fit_seconds=fit, predict_seconds=4.0)
        board.store.write(record)
    (row,) = board.csv()
    assert (row["fit_seconds"], row["predict_seconds"]) == ("0.5", "4")


def test_absent_data_is_not_available(board: Board) -> None:
    board.add_absent("ours")
    board.add_absent("other")
    assert [(r["status"], r["key"]) for r in board.csv()] == [("not_available", "")] * 2
    text = board.markdown()
    assert "n/a" in text
    assert text.count("- tiny one: not available: no file x\n") == 1


def test_absent_subsets_of_one_reason_are_one_line(board: Board) -> None:
    for subset in ("05", "18"):
        board.add_absent("ours", subset, f"no file {subset}/{subset}.asf of 105")
    board.add_absent("ours", "20", "20 is damaged")
    assert board.make().problems == (
        "tiny 05, 18: not available: no file SUBSET/SUBSET.asf of 105",
        "tiny 20: not available: 20 is damaged",
    )


def test_cells_without_a_run_are_listed_and_counted(board: Board) -> None:
    board.suite["also"] = ["mpjpe"]
    board.add("ours", None)
    board.add("ours", None, subset="two")
    board.add("other", 0.5)
    assert [row["status"] for row in board.csv()[:3]] == ["not_run", "not_run", "ok"]
    text = board.markdown()
    assert "| ours     | not run" in text
    assert "- 2 cells not run: no stored run; 'liftbench run small' makes one\n" in text


def test_split_that_a_method_cannot_predict_is_skipped(board: Board) -> None:
    board.add("ours", 0.5)
    board.cells[0] = replace(board.cells[0], splits=("train", "unseen"))
    assert [row["status"] for row in board.csv()] == ["ok", "skipped"]
    assert board.make().problems == (
        "1 cell skipped: it reconstructs only the frames that it was fitted on",
    )


def test_training_that_was_cut_short_is_noted(board: Board) -> None:
    board.add("cut", 0.5, curve=((0, 100, 1.0), (60, 100, 0.5)))
    board.add("whole", 0.5, curve=((0, 100, 1.0), (100, 100, 0.5)))
    notes = board.make().notes
    assert [note for note in notes if "budget" in note] == [
        "cut tiny one seed 0: its time budget ended the training near step 60 of 100"
    ]


def test_parts_that_a_mean_leaves_out_are_noted_once(board: Board) -> None:
    score = Score(0.5, {"car": 0.5}, 7, unscored=1, absent=("sofa", "boat"))
    for method in ("ours", "other"):
        (spec,) = board.add(method, None)
        board.store.write(RunRecord(spec, "ok", {"e3d@1": {"train": score}}))
    assert list(board.make().notes) == [
        "tiny one: a note",
        "tiny one train: 1 of 8 frames have nothing to be compared with",
        "tiny one train: no frame of 2 of 3 groups: sofa, boat",
    ]


def test_only_protocols_of_the_suite_are_noted(board: Board) -> None:
    (spec,) = board.add("ours", None)
    scores = {"e3d@1": {"train": Score(0.5, {}, 8)}, "mpjpe@1": {"train": Score(7.5, {}, 7, 1)}}
    board.store.write(RunRecord(spec, "ok", scores))
    assert board.make().notes == ("tiny one: a note",)


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
def test_printed_number_must_match_the_cell_exactly(
    board: Board, elsewhere: dict[str, str]
) -> None:
    board.add("ours", 0.5)
    board.add_printed("0.5", **elsewhere)
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
    board.add_printed("0.125", split="unstated", setting="noise=0", method="printed")
    assert [row["published"] for row in board.csv()] == ["0.125"]


def test_a_printed_setting_can_name_a_row(board: Board) -> None:
    board.suite |= {"setting": "challenge", "methods": {"light": {}, "heavy": {}}}
    rows = {
        "light": {"method": "theirs", "setting": "challenge;weight=1"},
        "heavy": {"method": "theirs", "setting": "challenge;weight=2"},
    }
    board.suite["published"] = [{"paper": "paper", "table": "T1", "rows": rows}]
    for name in ("light", "heavy"):
        board.add(name, 0.5, setting="challenge")
    board.add_printed("0.25", method="theirs", setting="challenge;weight=1")
    board.add_printed("0.75", method="theirs", setting="challenge;weight=2")
    board.add_printed("0.125", method="theirs", setting="challenge")
    assert [(row["method"], row["published"]) for row in board.csv()] == [
        ("light", "0.25"),
        ("heavy", "0.75"),
        ("theirs", "0.125"),
    ]


def test_numbers_of_a_printed_row_may_stand_in_another_column(board: Board) -> None:
    row = {"method": "theirs", "setting": "weight=1"}
    board.suite["published"] = [
        {"paper": "paper", "table": "T1", "rows": {"ours": row}, "settings": {"weight=1": "near"}}
    ]
    board.add("ours", 0.5, setting="near")
    board.add_printed("0.25", method="theirs", setting="weight=1")
    assert [line["published"] for line in board.csv()] == ["0.25"]


def test_a_row_may_have_the_printed_numbers_of_several_settings(board: Board) -> None:
    row = {"method": "theirs", "setting": "far;2", "settings": ["near;2"]}
    settings = {"far;2": "far", "near;2": "near"}
    board.suite["published"] = [
        {"paper": "paper", "table": "T1", "rows": {"ours": row}, "settings": settings}
    ]
    for setting, printed in (("far", "0.25"), ("near", "0.75")):
        board.add("ours", 0.5, setting=setting)
        board.add_printed(printed, method="theirs", setting=f"{setting};2")
    assert [line["published"] for line in board.csv()] == ["0.25", "0.75"]


def test_a_part_of_the_setting_can_say_what_is_measured(board: Board) -> None:
    board.suite["published"] = [
        {"paper": "paper", "table": "T1", "only": "part=all", "settings": {"a;part=all": ""}}
    ]
    board.add("ours", 0.5)
    board.add_printed("0.25", setting="a;part=all")
    board.add_printed("0.75", setting="a;part=all of it")
    assert [line["published"] for line in board.csv()] == ["0.25"]


def test_a_printed_dataset_can_stand_for_that_of_the_suite(board: Board) -> None:
    board.suite["published"] = [{"paper": "paper", "table": "T1", "datasets": {"any": "tiny"}}]
    board.add("ours", 0.5)
    board.add_printed("0.25", method="ours", dataset="any")
    assert [line["published"] for line in board.csv()] == ["0.25"]


def test_a_row_without_its_printed_numbers_is_an_error_of_the_suite(board: Board) -> None:
    rows = {"ours": {"method": "theirs", "setting": "weight=3"}}
    board.suite["published"] = [{"paper": "paper", "table": "T1", "rows": rows}]
    board.add("ours", 0.5)
    board.add_printed("0.25", method="theirs", setting="weight=1")
    message = (
        r"suite 'small': published paper T1: rows: ours: no number of 'theirs' under 'weight=3' is "
        r"printed, expected one of its settings: 'weight=1'"
    )
    with pytest.raises(UserError, match=message):
        board.make()


def test_aliases_apply_to_their_table_only(board: Board) -> None:
    board.suite["published"] = [
        {"paper": "paper", "table": "T1", "splits": {"unstated": "train"}},
        {"paper": "paper", "table": "T2"},
    ]
    board.add("ours", 0.5)
    board.add_printed("0.5", split="unstated", table="T2")
    assert [row["published"] for row in board.csv()] == [""]


def test_several_sources_of_one_cell_are_all_named(board: Board) -> None:
    board.suite["published"] = [{"paper": p, "table": "T1"} for p in ("paper", "later", "same")]
    board.add("ours", 0.5)
    board.add_printed("0.5", paper="same")
    board.add_printed("0.75", paper="later")
    board.add_printed("0.5")
    (row,) = board.csv()
    assert row["published"] == "0.5", "the first in the order of the suite"
    assert row["published_source"] == "paper T1; also later T1: 0.75; also same T1"


def test_printed_row_of_a_method_outside_the_suite(board: Board) -> None:
    board.add("ours", 0.5)
    board.add_printed("0.25", method="theirs")
    board.add_printed("0.5", method="theirs", subset="elsewhere")
    _, row = board.csv()
    assert (row["method"], row["status"], row["value"]) == ("theirs", "published_only", "")
    assert (row["published"], row["published_source"]) == ("0.25", "paper T1")
    assert "| theirs   | (p 0.25)" in board.markdown()


def test_two_printed_rows_of_one_cell_are_one(board: Board) -> None:
    board.add("ours", 0.5)
    for text in ("0.25", "0.75"):
        board.add_printed(text, method="theirs")
    _, row = board.csv()
    assert (row["published"], row["published_source"]) == ("0.25", "paper T1; also paper T1: 0.75")


def test_printed_line_of_a_method_outside_the_suite_has_the_printed_unit(board: Board) -> None:
    board.suite["protocol"] = "mpjpe"
    board.add("ours", 0.5)
    board.add_printed("50.5", unit="mm", metric="mpjpe", method="theirs")
    assert [row["unit"] for row in board.csv()] == ["length", "mm"]


def test_number_in_another_unit_is_an_error_of_the_suite(board: Board) -> None:
    board.add("ours", 0.5)
    board.add_printed("50", unit="percent")
    message = "suite 'small': paper T1 prints e3d in percent, but 'e3d' is in ratio"
    with pytest.raises(UserError, match=message):
        board.make()


@pytest.mark.parametrize("unit", ["mm", "m", "dataset"])
def test_lengths_are_printed_in_units_of_the_dataset(board: Board, unit: str) -> None:
    board.suite["protocol"] = "mpjpe"
    board.add("ours", 0.5)
    board.add_printed("50.5", unit=unit, metric="mpjpe")
    assert board.csv()[0]["published"] == "50.5"


# --- verdicts, sections, positions --------------------------------------------------------------


@pytest.mark.parametrize(
    ("protocol", "unit", "printed", "words"),
    [
        ("e3d", "ratio", ("0.4", "0.6"), ["worse", "better"]),
        ("pck", "percent", ("0.4", "0.6"), ["better", "worse"]),
    ],
)
def test_section_judges_by_its_protocol(
    board: Board, protocol: str, unit: str, printed: tuple[str, str], words: list[str]
) -> None:
    board.suite["protocol"] = protocol
    (spec,) = board.add("ours", None)
    scores = {f"{protocol}@1": {"train": Score(0.5, {}, 8)}}
    board.store.write(RunRecord(spec, "ok", scores))
    for text in printed:
        board.add_printed(text, metric=protocol, unit=unit)
    (section,) = board.make().sections
    (entry,) = section.entries
    verdicts = [section.verdict(entry, number) for number in entry.printed]
    assert [verdict and verdict.word for verdict in verdicts] == words


def test_section_judges_with_our_spread_over_seeds(board: Board) -> None:
    board.add("ours", 0.25, 0.75)
    board.add("none", None)
    board.add_printed("0.9")
    (section,) = board.make().sections
    ours, none = section.entries
    (number,) = ours.printed
    verdict = section.verdict(ours, number)
    assert verdict is not None
    assert (verdict.word, verdict.origin) == ("better", "our seeds")
    assert section.verdict(none, number) is None


def test_position_of_a_line(board: Board) -> None:
    board.add("ours", 0.5, subset="two", setting="noisy", splits=("unseen",))
    (line,) = board.make().lines
    assert line.position == Position("ours", "tiny", "two", "unseen", "noisy")
    assert line.position._asdict() == {
        name: getattr(line, name) for name in ("method", "dataset", "subset", "split", "setting")
    }


def test_lines_of_all_sections(board: Board) -> None:
    board.suite["also"] = ["mpjpe"]
    board.add("ours", 0.5)
    assert [line.protocol for line in board.make().lines] == ["e3d@1", "mpjpe@1"]


def test_printed_method_is_listed_for_each_setting(board: Board) -> None:
    for setting in ("clean", "noisy"):
        board.add("ours", 0.5, setting=setting)
        board.add_printed("0.25", method="theirs", setting=setting)
    found = [(row["method"], row["setting"], row["status"]) for row in board.csv()]
    assert found == [
        ("ours", "clean", "ok"),
        ("ours", "noisy", "ok"),
        ("theirs", "clean", "published_only"),
        ("theirs", "noisy", "published_only"),
    ]


def test_section_refuses_rows_under_another_protocol(board: Board) -> None:
    board.add("ours", 0.5)
    (section,) = board.make().sections
    (entry,) = section.entries
    other = replace(entry, line=replace(entry.line, protocol="e3d@2"))
    with pytest.raises(ValueError, match="lines under e3d@2 in a table of e3d@1"):
        replace(section, entries=(entry, other))


def test_each_protocol_has_its_own_section(board: Board) -> None:
    board.suite["also"] = ["mpjpe"]
    (spec,) = board.add("ours", None)
    scores = {"e3d@1": {"train": Score(0.5, {}, 8)}, "mpjpe@1": {"train": Score(7.5, {}, 8)}}
    board.store.write(RunRecord(spec, "ok", scores))
    assert [
        [(row.protocol, row.value) for row in section.lines] for section in board.make().sections
    ] == [[("e3d@1", 0.5)], [("mpjpe@1", 7.5)]]


def test_reasons_of_cells_without_a_number(board: Board) -> None:
    board.add("failed", "failed")
    board.add("never", None)
    (spec,) = board.add("unscored", None)
    board.store.write(RunRecord(spec, "ok", {"e3d@2": {"train": Score(0.1, {}, 8)}}))
    board.add("there", 0.5)
    board.cells[-1] = replace(board.cells[-1], splits=("train", "unseen"))
    board.add_absent("absent", subset="two")
    board.add_printed("0.5", method="theirs")
    entries = board.make().sections[0].entries
    assert {(e.line.method, e.line.split): e.reason for e in entries} == {
        ("failed", "train"): "first line",
        ("never", "train"): "no stored run; 'liftbench run small' makes one",
        ("unscored", "train"): "no score under e3d@1; 'liftbench score small' makes one",
        ("there", "train"): "",
        ("there", "unseen"): "it reconstructs only the frames that it was fitted on",
        ("absent", "train"): "no file x",
        ("theirs", "train"): "suite 'small' has no such method",
    }


def test_a_row_of_other_columns_may_have_printed_numbers_alone(board: Board) -> None:
    board.suite["methods"] = {"ours": {}, "other": {}}
    board.add("ours", 0.5)
    board.add("other", 0.5, setting="few frames")
    board.add_printed("0.25", method="other")
    (entry,) = [e for e in board.make().sections[0].entries if e.line.status == "published_only"]
    assert entry.reason == "suite 'small' has no such method in this column"
    alone = "A method with printed numbers alone is not in the"
    assert f"{alone} column of the suite." in board.markdown()
    board.suite["methods"] = {"ours": {}}
    assert f"{alone} suite." in board.markdown()


def test_numbers_of_less_than_the_whole_set_are_incomplete(board: Board) -> None:
    board.add("whole", 0.5, 0.5)
    board.add("seeds", 0.5, None)
    board.add("groups", 0.5, score={"groups": {"car": 0.5}, "absent": ("sofa",)})
    board.add("frames", 0.5, score={"unscored": 2})
    board.add("files", 0.5, data_note="9 of 12 sequences")
    board.add("nothing", "failed", data_note="9 of 12 sequences")
    entries = {e.line.method: e for e in board.make().sections[0].entries}
    assert {m: e.incomplete for m, e in entries.items()} == {
        "whole": False,
        "seeds": True,
        "groups": True,
        "frames": True,
        "files": True,
        "nothing": False,
    }
    assert entries["groups"].left_out == ("no frame of 1 of 2 groups: sofa",)
    assert entries["frames"].left_out == ("2 of 10 frames have nothing to be compared with",)
    assert entries["files"].left_out == ("9 of 12 sequences",)


def test_data_is_named_with_its_parameters_and_checksums(board: Board) -> None:
    board.add("ours", 0.5)
    board.add("ours", 0.5, subset="two")
    board.add("ours", 0.5, setting="noisy")
    board.add_absent("ours", subset="three")
    assert board.make().data == (
        "tiny version 3: one oneaaaaaaaaa, two twoaaaaaaaaa",
        "tiny (hide_one=True) version 3: one oneaaaaaaaaa",
    )
