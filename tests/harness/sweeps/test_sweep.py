"""`liftbench sweep`: tables, figures, the forecast of its time, and mistakes."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from tests.harness.sweeps.conftest import CURVE, GRID, Swept, linear_error

from liftbench import plotting
from liftbench.corruption import BUILTIN_CORRUPTIONS
from liftbench.plotting import figure_files
from liftbench.runs import execute
from liftbench.runs.store import RunRecord, RunSpec


@pytest.fixture(autouse=True)
def no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("a run was started")

    monkeypatch.setattr(execute, "run_child", never)


# --- tables ------------------------------------------------------------------------------------


def test_a_grid_has_the_form_of_table_5(swept: Swept) -> None:
    suite = swept.suite(GRID)
    swept.store(suite)
    text = swept.show(suite)
    assert swept.file("noise_ratio-missing.md").read_text(encoding="utf-8") + "\n" == text
    after = text[text.index("### tallying") :].splitlines()[2:7]
    assert [[cell.strip() for cell in line.strip("|").split("|")] for line in after] == [
        ["noise_ratio (‖noise‖/‖W‖) \\ missing (%)", "0", "40"],
        [after[1].strip("|").split("|")[0], *after[1].strip("|").split("|")[1:]],
        ["0", "0.105 ± 0.007", "0.305 ± 0.007"],
        ["0.1", "0.205 ± 0.007", "0.405 ± 0.007"],
        ["0.2", "0.305 ± 0.007", "0.505 ± 0.007"],
    ]
    assert "- `missing`: Points hidden at random (%)" in text
    assert "## tiny, one, train" in text


def test_robustness_is_the_area_under_the_curve(swept: Swept) -> None:
    """The error is linear, so its mean over the grid is that of the middle of the axes."""
    suite = swept.suite(GRID, CURVE)
    swept.store(suite)
    text = swept.show(suite)
    rows = {row["method"]: row for row in swept.csv("noise_ratio-missing-robustness.csv")}
    assert float(rows["tallying"]["area"]) == pytest.approx(0.105 + 0.1 + 0.1)
    assert float(rows["tallying"]["area_std"]) == pytest.approx(0.01 / np.sqrt(2), rel=1e-4)
    assert float(rows["tallying"]["cost"]) == pytest.approx(0.305 / 0.105, rel=1e-4)
    assert (rows["tallying"]["n_seeds"], rows["filling"]["n_seeds"]) == ("2", "1")
    assert rows["filling"]["area_std"] == ""
    (curve,) = [r for r in swept.csv("frames-robustness.csv") if r["method"] == "filling"]
    assert float(curve["area"]) == pytest.approx(0.1 + 0.375)
    assert (float(curve["clean"]), float(curve["strongest"])) == (0.1, 0.85)
    first = next(line for line in text.splitlines() if line.startswith("| tallying "))
    assert " ".join(first.split()) == "| tallying | 0.105 | 0.505 | 0.305 ± 0.007 | 2.905 |"


def test_what_the_numbers_grow_with(swept: Swept) -> None:
    def falls_at_last(spec: RunSpec) -> float:
        last = spec.corruption.get("noise_ratio", {}).get("params", {}).get("ratio") == 0.2
        return linear_error(spec) - (0.5 if last else 0.0)

    suite = swept.suite(GRID)
    swept.store(suite, falls_at_last)
    lines = [line.split("|")[1:-1] for line in swept.show(suite).splitlines() if " x " in line]
    rows = {(cells[0].strip(), cells[1].strip()): [c.strip() for c in cells[2:]] for cells in lines}
    fell = "; ".join(f"noise_ratio 0.1 to 0.2 at missing={share}" for share in (0, 40))
    assert rows["tallying", "noise_ratio"][1:] == ["2", "0", f"2: {fell}"]
    assert rows["tallying", "missing"] == ["x 2.90 at 40 (%)", "3", "0", "0"]


def test_rows_for_tools(swept: Swept) -> None:
    suite = swept.suite(GRID)
    swept.store(suite)
    swept.show(suite)
    rows = swept.csv("noise_ratio-missing.csv")
    assert len(rows) == 6 * 2
    (row,) = [
        r
        for r in rows
        if (r["method"], r["noise_ratio"], r["missing"]) == ("tallying", "0.1", "40")
    ]
    assert float(row["value"]) == pytest.approx(0.405)
    expected = {"split": "train", "n_seeds": "2", "status": "ok", "published": "", "unit": "ratio"}
    assert {name: row[name] for name in expected} == expected


def test_a_skipped_method_is_listed_once_with_its_reason(swept: Swept) -> None:
    def skips(spec: RunSpec) -> str | float:
        return "skipped" if "missing" in spec.corruption else linear_error(spec)

    suite = swept.suite(GRID)
    swept.store(suite, skips)
    text = swept.show(suite)
    assert "- tiny one: tallying: skipped: cannot do it (6 runs)" in text
    assert "n/a (3 of 6 cells)" in text
    assert "x nan" not in text
    assert "skipped" in text[text.index("### tallying") :]


def test_one_axis_is_one_table_of_all_methods(swept: Swept) -> None:
    suite = swept.suite(CURVE)
    swept.store(suite)
    text = swept.show(suite)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "| method \\ frames (%) | 100 | 50 | 25 |" in lines
    assert "| filling | 0.100 | 0.600 | 0.850 |" in lines


def test_printed_numbers_stand_beside(swept: Swept, tmp_path: Path) -> None:
    """Deep NRSfM++'s Table 5 beside stored runs of the suite that reproduces it."""
    text = swept.bench.call("sweep", "apollo_robustness", "--dry-run").output
    assert "0 runs" in text, "the data is not here"
    result = swept.bench.call("sweep", "apollo_robustness")
    assert result.exit_code == 0
    (rows,) = [
        result.stdout[result.stdout.index("### deep_nrsfm_pp_persp_scale") :].splitlines()[4:9]
    ]
    printed = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert printed[0][1:] == [f"not available (p {p})" for p in ("0.124", "0.142", "0.192")]
    assert printed[4] == ["15", *[f"not available (p {p})" for p in ("0.191", "0.188", "0.304")]]
    assert "apollocar3d" in result.stdout[result.stdout.index("Without a number") :]
    assert (swept.bench.results / "apollo_robustness" / "leaderboard.csv").is_file()


def test_a_suite_with_grids_shows_them_as_a_leaderboard_too(swept: Swept) -> None:
    suite = swept.suite(CURVE)
    swept.store(suite)
    swept.show(suite)
    table = swept.bench.store().folder / "leaderboard.csv"
    settings = {row["setting"] for row in csv.DictReader(table.open(encoding="utf-8"))}
    assert settings == {"frames=100", "frames=50", "frames=25"}
    table.unlink()
    swept.show(suite, "--frames", "100,50")
    assert not table.exists(), "it is the suite's own, not that of the axes of a call"


# --- pictures ----------------------------------------------------------------------------------


def test_figures_are_whole_and_reproducible(swept: Swept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plotting, "figure_files", figure_files)
    suite = swept.suite(GRID, CURVE)
    swept.store(suite)
    text = swept.show(suite)
    names = ["noise_ratio-missing-tiny-one-heat", "noise_ratio-missing-tiny-one-curves"]
    files = [
        swept.file(f"{n}.{end}")
        for n in (*names, "frames-tiny-one-curves")
        for end in ("png", "svg")
    ]
    before = [file.read_bytes() for file in files]
    for file in files:
        if file.suffix == ".png":
            assert f"]({file.name})" in text
            with Image.open(file) as image:
                assert min(image.size) > 200
                assert len(np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0)) > 10
        else:
            words = {"".join(e.itertext()).strip() for e in ElementTree.parse(file).iter()}  # noqa: S314
            assert {"filling", "tallying"} <= words
    assert not swept.file("frames-tiny-one-heat.png").exists()
    swept.show(suite)
    assert [file.read_bytes() for file in files] == before


def test_a_third_axis_makes_further_tables_and_figures(swept: Swept) -> None:
    suite = swept.suite({**GRID, **CURVE})
    swept.store(suite)
    text = swept.show(suite)
    assert text.count("### tallying, frames=") == 3
    grid = "noise_ratio-missing-frames"
    for label in ("100", "50", "25"):
        assert swept.file(f"{grid}-tiny-one-frames-{label}-heat.png").exists()


# --- how long ----------------------------------------------------------------------------------


def test_a_dry_run_says_what_is_left_and_writes_nothing(swept: Swept) -> None:
    suite = swept.suite(GRID)
    swept.store(suite, fit_seconds=60.0)
    for record in list(swept.bench.store().records()):
        if record.spec.seed == 1 or "missing" in record.spec.corruption:
            swept.bench.store().record_path(record.spec.key).unlink()
    before = sorted(swept.bench.results.rglob("*"))
    text = swept.show(suite, "--dry-run", "--jobs", "2")
    assert "18 runs: 6 stored, 0 to take over from other suites, 12 to do in 12 fits" in text
    assert "about 6 min with 2 at once" in text
    assert sorted(swept.bench.results.rglob("*")) == before
    tested = swept.show(suite, "--dry-run", "--corrupt", "test", "--jobs", "1")
    assert "18 runs: 2 stored, 0 to take over from other suites, 16 to do in 3 fits" in tested
    assert "about 3 min with 1 at once" in tested


def test_seconds_are_those_of_the_most_similar_fits(swept: Swept) -> None:
    suite = swept.suite(CURVE)
    swept.store(suite, fit_seconds=10.0)
    for number, record in enumerate(list(swept.bench.store().records())):
        if number:
            swept.bench.store().record_path(record.spec.key).unlink()
        else:
            kept = record
    method = kept.spec.method["key"]
    other = replace(kept.spec, method={**kept.spec.method, "params": {"another": 1}})
    swept.bench.store("elsewhere").write(RunRecord(other, "ok", fit_seconds=1000.0))
    text = swept.show(suite, "--dry-run")
    (line,) = [line for line in text.splitlines() if line.startswith(method)]
    assert "1 stored fits of this configuration on this dataset" in line
    assert line.split()[3] == "10"
    swept.bench.store().record_path(kept.spec.key).unlink()
    (line,) = [
        line for line in swept.show(suite, "--dry-run").splitlines() if line.startswith(method)
    ]
    assert line.split()[3] == "1000"
    assert "1 stored fits of this method" in line


def test_without_a_stored_fit_the_time_is_not_known(swept: Swept) -> None:
    text = swept.show(swept.suite(CURVE), "--dry-run")
    assert "no fit of filling, tallying is stored to estimate its time from" in text


# --- the call ----------------------------------------------------------------------------------


def test_percentages_become_the_shares_of_suites(swept: Swept) -> None:
    """30 % must become exactly the 0.3 of a suite; otherwise the runs would differ."""
    suite = swept.suite({"missing": {"share": [0, 0.07, 0.1, 0.29, 0.3, 0.57]}})
    swept.store(suite)
    text = swept.show(suite, "--missing", "0,7,10,29,30,57", "--dry-run")
    assert "18 runs: 18 stored" in text


def test_axes_of_the_command_replace_those_of_the_suite(swept: Swept) -> None:
    suite = swept.suite(CURVE)
    plain = {"missing_limb": {"share": [0, 0.2]}, "data": {"hide_one": [False, True]}}
    swept.store(swept.suite(plain))
    words = ("--axis", "missing_limb=0,20", "--axis", "data.hide_one=false,true")
    assert "missing_limb" in swept.show(swept.suite(CURVE), *words)
    assert swept.file("missing_limb-hide_one.md").exists()
    assert suite.exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "suite 'small' has no section 'sweep'; say what to sweep over"),
        (("--missing", "a"), "missing: expected numbers with commas between, got 'a'"),
        (("--missing", "0,150"), "share: expected at least 0 and less than 1, got 1.5"),
        (("--noise-ratio", "0"), "ratio: expected a value that changes something"),
        (("--axis", "missing"), "--axis missing: expected a corruption and values"),
        (("--axis", "mising=1"), "unknown corruption 'mising': did you mean 'missing'"),
        (("--axis", "data.hide_on=true"), "'hide_on': did you mean 'hide_one'"),
        (("--noise", "0,3"), "does not say how large a pixel is; use 'noise_ratio'"),
        (("--axis", "missing_half=0,20"), "the skeleton has no left-right pairs"),
    ],
)
def test_mistakes_are_one_line_and_nothing_runs(
    swept: Swept, words: tuple[str, ...], message: str
) -> None:
    result = swept.bench.call("sweep", swept.suite(), *words, "--methods", "filling")
    assert result.exit_code == 2
    (line,) = [one for one in result.stderr.splitlines() if "did not load" not in one]
    assert message in line
    assert not swept.bench.results.exists()


def test_damaged_data_fails_only_its_rows(swept: Swept) -> None:
    (swept.bench.root / "tiny" / "one.npy").write_bytes(b"damaged")
    words = ("--missing", "0,20", "--methods", "filling")
    result = swept.bench.call("sweep", swept.suite(), *words)
    assert result.exit_code == 1
    assert all("damaged" in record.error for record in swept.bench.store().records())


def test_every_corruption_can_be_swept() -> None:
    assert all(spec.severity for spec in BUILTIN_CORRUPTIONS)
