"""Arrays on disk, their cache, and files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liftbench.arrays import Arrays, cache_arrays, load_arrays, save_arrays
from liftbench.files import checksum, write_atomic


def arrays() -> Arrays:
    rng = np.random.default_rng(0)
    return {
        "floats": rng.standard_normal((3, 4, 2)),
        "nans": np.array([np.nan, np.inf, -0.0]),
        "ints": np.arange(5),
        "flags": np.array([[True, False]]),
        "names": np.array(["root", "lhipjoint"]),
        "empty": np.zeros((2, 0)),
    }


def assert_same(left: Arrays, right: Arrays) -> None:
    assert left.keys() == right.keys()
    for name, array in left.items():
        assert array.dtype == right[name].dtype
        np.testing.assert_array_equal(array, right[name])


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stored") / "arrays.npz"
    save_arrays(path, arrays())
    return path


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "arrays.npz"
    save_arrays(path, arrays())
    assert_same(load_arrays(path), arrays())
    assert [p.name for p in path.parent.iterdir()] == ["arrays.npz"]


def test_objects_are_never_written(tmp_path: Path) -> None:
    path = tmp_path / "arrays.npz"
    with pytest.raises(ValueError, match="'bad' holds Python objects"):
        save_arrays(path, {"good": np.zeros(2), "bad": np.array([{}, None], dtype=object)})
    with pytest.raises(ValueError, match="holds Python objects"):
        save_arrays(path, {"bad": np.zeros(2, dtype=[("x", object)])})
    assert not path.exists()


def test_pickled_objects_are_never_read(tmp_path: Path) -> None:
    path = tmp_path / "arrays.npz"
    np.savez(path, bad=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match=r"arrays\.npz: .*allow_pickle=False"):
        load_arrays(path)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04", b"\x93NUMPY\x01\x00"])
def test_a_file_of_another_kind_is_damaged(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "arrays.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"arrays\.npz: not a whole \.npz file"):
        load_arrays(path)


def test_a_single_array_is_not_an_npz_file(tmp_path: Path) -> None:
    with (tmp_path / "arrays.npz").open("wb") as stream:
        np.save(stream, np.zeros(3))
    with pytest.raises(ValueError, match="not a whole"):
        load_arrays(tmp_path / "arrays.npz")


def test_an_absent_file_is_not_damage(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_arrays(tmp_path / "arrays.npz")


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99, 0.999])
def test_a_truncated_file_is_damaged(stored: Path, tmp_path: Path, share: float) -> None:
    content = stored.read_bytes()
    path = tmp_path / "cut.npz"
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match="not a whole"):
        load_arrays(path)


@given(data=st.data())
@settings(max_examples=300)
def test_a_changed_byte_never_changes_an_array(
    stored: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(stored.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = stored.with_name("changed.npz")
    path.write_bytes(content)
    try:
        loaded = load_arrays(path)
    except ValueError:
        return
    assert_same(loaded, arrays())


def test_no_change_of_the_directory_drops_an_array(stored: Path) -> None:
    content, path = stored.read_bytes(), stored.with_name("changed.npz")
    directory = range(content.index(b"PK\x01\x02"), len(content))
    for place, value in product(directory, (0, 1, 2, 255)):
        path.write_bytes(content[:place] + bytes([value]) + content[place + 1 :])
        with contextlib.suppress(ValueError):
            assert_same(load_arrays(path), arrays())


class Build:
    """Builds arrays and counts its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> Arrays:
        self.calls += 1
        return arrays()


def test_the_cache_builds_once_for_each_kind_and_checksum(cache_folder: Path) -> None:
    build = Build()
    for _ in range(2):
        assert_same(cache_arrays("kind", "abc", build), arrays())
    assert build.calls == 1
    cache_arrays("kind", "abd", build)
    cache_arrays("other", "abc", build)
    assert build.calls == 3
    assert (cache_folder / "parsed" / "kind" / "abc.npz").is_file()


@pytest.mark.parametrize("content", [b"", b"damaged"])
def test_a_damaged_cache_is_built_again(cache_folder: Path, content: bytes) -> None:
    build = Build()
    cache_arrays("kind", "abc", build)
    (cache_folder / "parsed" / "kind" / "abc.npz").write_bytes(content)
    for _ in range(2):
        assert_same(cache_arrays("kind", "abc", build), arrays())
    assert build.calls == 2


def test_an_unwritable_cache_costs_only_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("LIFTBENCH_CACHE", str(tmp_path / "file"))
    assert_same(cache_arrays("kind", "abc", Build()), arrays())


def test_a_failing_build_leaves_nothing(cache_folder: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        cache_arrays("kind", "abc", lambda: {"a": np.array(1 // 0)})
    assert list(cache_folder.rglob("*")) == []


@pytest.mark.parametrize(
    ("variables", "folder"),
    [({"XDG_CACHE_HOME": "xdg"}, "xdg/liftbench"), ({"HOME": "home"}, "home/.cache/liftbench")],
)
def test_without_its_variable_the_cache_is_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], folder: str
) -> None:
    monkeypatch.delenv("LIFTBENCH_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, str(tmp_path / value))
    cache_arrays("kind", "abc", Build())
    assert (tmp_path / folder / "parsed" / "kind" / "abc.npz").is_file()


def test_write_atomic_replaces_whole_files(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"one")
    write_atomic(path, b"two")
    assert path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_write_atomic_keeps_the_old_file_when_it_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"one")

    def full_disk(_: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="disk full"):
        write_atomic(path, b"two")
    assert path.read_bytes() == b"one"
    assert list(tmp_path.iterdir()) == [path]


def test_checksum_sees_names_contents_and_order(tmp_path: Path) -> None:
    one, two, same = (tmp_path / name for name in ("one", "two", "same"))
    one.write_bytes(b"1")
    two.write_bytes(b"2")
    same.write_bytes(b"1")
    found = [
        checksum(paths)
        for paths in ([one, two], [two, one], [one], [same], [one, one], [], [same, two])
    ]
    assert len(set(found)) == len(found)
    copy = tmp_path / "elsewhere" / "one"
    write_atomic(copy, b"1")
    assert checksum([copy]) == checksum([one])
    one.write_bytes(b"3")
    assert checksum([copy]) != checksum([one])
