"""Variables of CDF files are read; damage is a one-line error."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cdflib
import numpy as np
import pytest
from cdflib.cdfwrite import CDF
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liftbench.errors import DataMissingError, UserError
from liftbench_datasets.reading.cdf_file import read_cdf

VALUES = np.random.default_rng(0).standard_normal((2, 7, 96)).astype("f4")


def write_cdf(
    path: Path,
    values: np.ndarray[Any, Any],
    compressed: int = 0,
    varies: bool = True,
    data_type: int | None = None,
    **spec: object,
) -> Path:
    """Write (records, ...) values as `Pose`."""
    file = CDF(str(path), cdf_spec=spec)
    variable = {
        "Variable": "Pose",
        "Data_Type": data_type or {"f": 21, "d": 22}[values.dtype.char],
        "Num_Elements": 1,
        "Rec_Vary": varies,
        "Dim_Sizes": list(values.shape[1:]),
        "Compress": compressed,
    }
    file.write_var(variable, var_data=values)
    file.close()
    return path


def old_cdf(
    values: np.ndarray[Any, Any], order: Sequence[int] | None = None, constant: Sequence[int] = ()
) -> bytes:
    """Return a file of version 2.6 with the values as an r-variable, one block per record.

    The index lists the blocks in the order given, else as they stand. Further dimensions, of the
    sizes `constant`, are those along which the variable does not vary.
    """
    records, *sizes = values.shape
    varies = [-1] * len(sizes) + [0] * len(constant)
    sizes = [*sizes, *constant]
    dims = len(sizes)

    def record(kind: int, fields: str, *content: object) -> bytes:
        body = struct.pack(">" + fields, *content)
        return struct.pack(">ii", 8 + len(body), kind) + body

    everything = 8 + 8 + 4 + 9 * 4 + 256
    variable = everything + 8 + 4 * 4 + 9 * 4 + 4 * dims
    index = variable + 8 + 14 * 4 + 64 + 4 * dims
    blocks = index + 8 + 12 + 12 * records
    each = 8 + values[0].nbytes
    places = [blocks + i * each for i in range(records)]
    count = order or range(records)
    parts = [
        bytes.fromhex("cdf260020000ffff"),
        record(1, "i9i256s", everything, 2, 7, 1, 3, 0, 0, 0, -1, -1, b""),
        record(
            2,
            f"4i5i4i{dims}i",
            *(variable, 0, 0, places[-1] + each, 1, 0, records - 1, dims, 0),
            *(0, 0, -1, -1),
            *sizes,
        ),
        record(
            3,
            f"14i64s{dims}i",
            *(0, 21, records - 1, index, index, 1, 0, 0, -1, -1, 1, 0, -1, 0),
            b"Pose",
            *varies,
        ),
        record(6, f"3i{3 * records}i", 0, records, records, *count, *count, *places),
        *(record(7, f"{values[0].nbytes}s", row.astype(">f4").tobytes()) for row in values),
    ]
    return b"".join(parts)


@pytest.mark.parametrize("kind", ["f4", "f8"])
@pytest.mark.parametrize("spec", [{}, {"compressed": 6}, {"Compressed": 6}, {"Encoding": 1}])
def test_values_come_back(tmp_path: Path, kind: str, spec: dict[str, Any]) -> None:
    path = write_cdf(tmp_path / "Walking 1.cdf", VALUES.astype(kind), **spec)
    np.testing.assert_array_equal(read_cdf(path, "Pose"), VALUES)


@pytest.mark.parametrize("shape", [(3,), (3, 5), (1, 4, 6), (2, 3, 4, 5)])
@pytest.mark.parametrize("majority", ["row_major", "column_major"])
def test_shapes_and_majorities_are_those_of_cdflib(
    tmp_path: Path, shape: Sequence[int], majority: str
) -> None:
    values = np.arange(np.prod(shape), dtype="f4").reshape(shape)
    path = write_cdf(tmp_path / "Walking.cdf", values, Majority=majority)
    expected = cdflib.CDF(path).varget("Pose")
    np.testing.assert_array_equal(read_cdf(path, "Pose").squeeze(), expected.squeeze())


def test_one_record_for_all(tmp_path: Path) -> None:
    path = write_cdf(tmp_path / "Walking.cdf", VALUES[0], varies=False)
    assert not cdflib.CDF(path).varinq("Pose").Rec_Vary
    np.testing.assert_array_equal(read_cdf(path, "Pose").squeeze(), cdflib.CDF(path)["Pose"])


def test_old_files_of_many_blocks(tmp_path: Path) -> None:
    path = tmp_path / "Walking.cdf"
    path.write_bytes(old_cdf(VALUES))
    np.testing.assert_array_equal(cdflib.CDF(path).varget("Pose"), VALUES)
    np.testing.assert_array_equal(read_cdf(path, "Pose"), VALUES)


def test_a_dimension_along_which_nothing_varies_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "Walking.cdf"
    path.write_bytes(old_cdf(VALUES, constant=[5]))
    np.testing.assert_array_equal(read_cdf(path, "Pose"), VALUES)


@pytest.mark.parametrize(("kind", "data_type"), [("f4", 44), ("f8", 45)])
def test_both_names_of_a_float_are_read(tmp_path: Path, kind: str, data_type: int) -> None:
    path = write_cdf(tmp_path / "Walking.cdf", VALUES.astype(kind), data_type=data_type)
    np.testing.assert_array_equal(read_cdf(path, "Pose"), VALUES)


def test_sparse_records_are_refused(tmp_path: Path) -> None:
    path = write_cdf(tmp_path / "Walking.cdf", VALUES)
    content = bytearray(path.read_bytes())
    at = places_in(content)["records"] + 24
    content[at : at + 4] = struct.pack(">i", 1)
    path.write_bytes(content)
    with pytest.raises(UserError, match="data type 21, sparse records 1"):
        read_cdf(path, "Pose")


def test_blocks_out_of_order_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "Walking.cdf"
    path.write_bytes(old_cdf(VALUES, order=[1, 0]))
    with pytest.raises(UserError, match="a block of records 1 to 1 of 2"):
        read_cdf(path, "Pose")


def test_absent_file_and_variable_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataMissingError, match=r"absent\.cdf: not found"):
        read_cdf(tmp_path / "absent.cdf", "Pose")
    path = write_cdf(tmp_path / "Walking.cdf", VALUES)
    with pytest.raises(UserError, match=r"Walking\.cdf: expected .*'Angles': .*no variable"):
        read_cdf(path, "Angles")


def places_in(content: bytes | bytearray) -> dict[str, int]:
    """Return the offsets of counts and links in a file of version 3."""
    (everything,) = struct.unpack(">q", content[20:28])
    (variable,) = struct.unpack(">q", content[everything + 20 : everything + 28])
    (index,) = struct.unpack(">q", content[variable + 28 : variable + 36])
    return {
        "dimensions of r-variables": everything + 56,
        "next variable": variable + 12,
        "records": variable + 24,
        "dimensions": variable + 340,
        "size": variable + 344,
        "next index": index + 12,
        "entries": index + 20,
        "used entries": index + 24,
        "last record": index + 28 + 4 * struct.unpack(">i", content[index + 20 : index + 24])[0],
    }


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("dimensions of r-variables", "dimensions, expected at most 10"),
        ("dimensions", "dimensions, expected at most 10"),
        ("records", "claims"),
        ("size", "claims"),
        ("entries", "entries"),
        ("used entries", "entries"),
        ("last record", "a block of records"),
    ],
)
@pytest.mark.parametrize("number", [2**31 - 1, 2**24, -7])
def test_claimed_counts_are_refused(tmp_path: Path, place: str, message: str, number: int) -> None:
    path = write_cdf(tmp_path / "Walking.cdf", VALUES)
    content = bytearray(path.read_bytes())
    at = places_in(content)[place]
    content[at : at + 4] = struct.pack(">i", number)
    path.write_bytes(content)
    with pytest.raises(UserError, match=rf"Walking\.cdf: .*({message}|negative size|ends within)"):
        read_cdf(path, "Pose")


@pytest.mark.parametrize("place", ["next variable", "next index"])
def test_records_that_lead_to_each_other_are_errors(tmp_path: Path, place: str) -> None:
    path = write_cdf(tmp_path / "Walking.cdf", VALUES)
    content = bytearray(path.read_bytes())
    at = places_in(content)[place]
    content[at : at + 8] = struct.pack(">q", at - 12)
    path.write_bytes(content)
    with pytest.raises(UserError, match="lead to each other"):
        read_cdf(path, "Pose" if place == "next index" else "Angles")


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.booleans(), st.data())
def test_damage_is_a_one_line_error(tmp_path: Path, old: bool, data: st.DataObject) -> None:
    path = tmp_path / "Walking.cdf"
    path.unlink(missing_ok=True)
    whole = old_cdf(VALUES) if old else write_cdf(path, VALUES).read_bytes()
    content = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, 1200))
        content[at : at + 4] = data.draw(st.binary(min_size=4, max_size=4))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    message = ""
    try:
        read_cdf(path, "Pose")
    except UserError as error:
        message = str(error)
    assert not message or (message.startswith(str(path)) and "\n" not in message)
