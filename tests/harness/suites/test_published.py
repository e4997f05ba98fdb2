"""Printed numbers: the packaged files and damaged ones."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

import liftbench_plugins
from liftbench.errors import UserError
from liftbench.suites.published import COLUMNS, PublishedNumber, read_published

PACKAGED = Path(liftbench_plugins.__file__).parent / "published"
ROWS = {"classical": 8, "deep_nrsfm_pp": 225, "kd": 132, "pr_rrn": 215, "ttp": 114}
HEADER = ",".join(COLUMNS)
ROW = 'kd,T1,h36m,all,train,plain,nlo,pa_mpjpe,mm,281.1,1.5,"as printed, here"'


def packaged() -> tuple[PublishedNumber, ...]:
    return read_published(sorted(PACKAGED.glob("*.csv")))


def written(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "numbers.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_packaged_rows_are_all_read() -> None:
    assert {path.stem: len(read_published([path])) for path in PACKAGED.glob("*.csv")} == ROWS
    numbers = packaged()
    assert len(numbers) == sum(ROWS.values())
    assert all(math.isfinite(n.value) for n in numbers)
    assert all(n.paper and n.table and n.dataset and n.method and n.metric for n in numbers)


@pytest.mark.parametrize(
    ("source", "dataset", "subset", "split", "method", "metric", "value"),
    [
        ("pr_rrn T1", "cmu", "39", "train", "pr_rrn", "e3d", 0.025),
        ("pr_rrn T1", "cmu", "39", "unseen", "pr_rrn", "e3d", 0.028),
        ("pr_rrn T1", "cmu", "07", "train", "csf", "e3d", 1.231),
        ("deep_nrsfm_pp T2", "cmu", "01", "unstated", "deep_nrsfm_bst", "e3d", 0.112),
        ("deep_nrsfm_pp T2", "cmu", "64", "unstated", "deep_nrsfm_bst", "e3d", 0.020),
        ("kd T1", "h36m", "all", "train", "nlo", "pa_mpjpe", 281.1),
        ("ttp T1", "cub", "all", "test", "cmr", "miou", 0.703),
        ("bmm code header", "nrsfm_classic", "drink", "all", "bmm", "e3d_akhter", 0.0266),
    ],
)
def test_spot_values(
    source: str, dataset: str, subset: str, split: str, method: str, metric: str, value: float
) -> None:
    wanted = (source, dataset, subset, split, method, metric)
    found = [
        n
        for n in packaged()
        if (n.source, n.dataset, n.subset, n.split, n.method, n.metric) == wanted
    ]
    assert value in [n.value for n in found]


def test_packaged_copies_equal_the_shared_files(shared_data: Path) -> None:
    shared = shared_data.parent / "published"
    if not shared.is_dir():
        pytest.skip(f"no {shared}")
    for path in PACKAGED.glob("*.csv"):
        assert path.read_bytes() == (shared / path.name).read_bytes(), path.name


def test_every_field_is_kept(tmp_path: Path) -> None:
    (number,) = read_published([written(tmp_path, HEADER, ROW)])
    assert number == PublishedNumber(
        paper="kd",
        table="T1",
        dataset="h36m",
        subset="all",
        split="train",
        setting="plain",
        method="nlo",
        metric="pa_mpjpe",
        unit="mm",
        value=281.1,
        std=1.5,
        note="as printed, here",
        decimals=1,
    )


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [("0.220", 3, "0.220"), ("80", 0, "80"), ("145.0", 1, "145.0"), ("1e-3", 3, "0.001")],
)
def test_digits_are_kept_as_they_are_printed(
    tmp_path: Path, value: str, decimals: int, text: str
) -> None:
    (number,) = read_published([written(tmp_path, HEADER, ROW.replace("281.1", value))])
    assert (number.decimals, number.text) == (decimals, text)


def test_an_empty_std_is_none_and_words_stay_words(tmp_path: Path) -> None:
    row = "nan,NA,null,01,,None,m,e3d,ratio,1e-3,,"
    (number,) = read_published([written(tmp_path, HEADER, row)])
    assert (number.std, number.value) == (None, 0.001)
    assert (number.paper, number.table, number.dataset, number.subset) == (
        "nan",
        "NA",
        "null",
        "01",
    )
    assert (number.split, number.setting, number.note) == ("", "None", "")


@pytest.mark.parametrize(
    ("lines", "line", "what"),
    [
        ([], 1, "expected columns"),
        ([HEADER.replace("std,", "")], 1, "expected columns"),
        ([ROW], 1, "expected columns"),
        ([HEADER, ROW, ROW.replace("281.1", "abc")], 3, "'abc'"),
        ([HEADER, ROW.replace("281.1", "")], 2, "''"),
        ([HEADER, ROW.replace("281.1", "nan")], 2, "'nan'"),
        ([HEADER, ROW.replace("281.1", "1e999")], 2, "'1e999'"),
        ([HEADER, ROW.replace("1.5", "inf")], 2, "'inf'"),
        ([HEADER, ROW.replace("1.5", "x")], 2, "'x'"),
        ([HEADER, ROW, ROW, ROW.partition(",")[2]], 4, "expected 12 fields, got 11"),
        ([HEADER, ROW, "kd,T1"], 3, "expected 12 fields, got 2"),
        ([HEADER, ROW + ",more"], 2, "expected 12 fields, got 13"),
        ([HEADER, "", ROW, "", ROW + ",more"], 5, "expected 12 fields, got 13"),
        ([HEADER, ROW, ROW.replace(', here"', "")], 3, "unexpected end of data"),
    ],
)
def test_a_damaged_file_is_reported_by_line(
    tmp_path: Path, lines: list[str], line: int, what: str
) -> None:
    path = written(tmp_path, *lines)
    with pytest.raises(UserError) as caught:
        read_published([path])
    message = str(caught.value)
    assert message.startswith(f"{path} line {line}: ")
    assert what in message
    assert "\n" not in message


def test_bytes_that_are_not_text_are_reported_by_line(tmp_path: Path) -> None:
    path = tmp_path / "numbers.csv"
    path.write_bytes(f"{HEADER}\n{ROW}\n".encode() + b"\xff\xfe\n")
    with pytest.raises(UserError, match=r"numbers\.csv line 3: "):
        read_published([path])


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"absent\.csv"):
        read_published([tmp_path / "absent.csv"])
