"""Reader of numbers in NASA's Common Data Format, versions 2.6 to 3.

Source: CDF Internal Format Description. All counts and links of a file are checked before they
are followed; cdflib, the usual reader, trusts them, so a damaged file can exhaust memory or loop.
A `place` is the offset of a record in the file, in bytes.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liftbench_datasets.reading.inflate import inflate
from liftbench_datasets.reading.one_line_errors import one_line_errors

# For each version: struct's letter for a place in the file, and the length of names.
_VERSIONS = {b"\xcd\xf3\x00\x01": ("q", 256), b"\xcd\xf2\x60\x02": ("i", 64)}
_PLAIN, _COMPRESSED = b"\x00\x00\xff\xff", b"\xcc\xcc\x00\x01"
# Types of records.
_CDR, _GDR, _RVDR, _VXR, _VVR, _ZVDR, _CCR, _CVVR = 1, 2, 3, 6, 7, 8, 10, 13
_FLOATS = {21: "f4", 44: "f4", 22: "f8", 45: "f8"}
_LITTLE_ENDIAN = {4, 6, 13}  # DECstation, IBM PC and Alpha with IEEE numbers
_BIG_ENDIAN = {1, 2, 5, 7, 9, 12}
_MOST_DIMENSIONS = 10  # the format's own limit
_GZIP = 16 + zlib.MAX_WBITS  # zlib's name for data with a gzip header
_MOST_BYTES = 2**28  # largest size of one variable; an hour of poses takes a tenth of it


def read_cdf(path: Path, variable: str) -> NDArray[Any]:
    """Return a float variable of a .cdf file; the first axis counts its records.

    Raises:
        DataMissingError: the file is not there.
        UserError: the file is damaged, lacks the variable or stores it in an unsupported form.
    """
    with one_line_errors(path, f"a CDF file with floats '{variable}'"):
        return _File(*_unpack_file(path.read_bytes())).floats(variable)


def _unpack_file(content: bytes) -> tuple[bytes, str, int]:
    """Return a file's uncompressed content, its letter for places and its length of names."""
    magic, kind = content[:4], content[4:8]
    if magic not in _VERSIONS or kind not in (_PLAIN, _COMPRESSED):
        raise ValueError("it does not begin like a CDF file of version 2.6 to 3")
    word, name = _VERSIONS[magic]
    if kind == _COMPRESSED:
        start = 8 + struct.calcsize(f">{word}i{word}{word}i")
        content = content[:8] + inflate(content[start:], _MOST_BYTES, _GZIP)
    return content, word, name


@dataclass(frozen=True)
class _Variable:
    """The fields of a variable's descriptor that are used here."""

    dtype: str
    records: int
    index: int
    shape: tuple[int, ...]


@dataclass(frozen=True)
class _File:
    """An uncompressed file.

    Attributes:
        content: all bytes of the file.
        word: struct's letter for a place in the file.
        name: length of a name.
    """

    content: bytes
    word: str
    name: int

    def floats(self, name: str) -> NDArray[Any]:
        """Return the values of a variable, (records, ...) in row-major order."""
        place, _, _, encoding, flags = self._record(8, _CDR, "Wiiii")
        if encoding not in _LITTLE_ENDIAN | _BIG_ENDIAN:
            raise ValueError(f"numbers in encoding {encoding}")
        variable = self._variable(place, name)
        dtype = np.dtype(("<" if encoding in _LITTLE_ENDIAN else ">") + variable.dtype)
        count = variable.records * math.prod(variable.shape)
        if not 0 <= count * dtype.itemsize <= _MOST_BYTES:
            raise ValueError(f"it claims {variable.records} records of shape {variable.shape}")
        size = count * dtype.itemsize
        values = np.frombuffer(self._data(variable.index, variable.records, size), dtype, count)
        if flags & 1:
            return values.reshape(variable.records, *variable.shape)
        column_major = values.reshape(variable.records, *variable.shape[::-1])
        return column_major.transpose(0, *range(column_major.ndim - 1, 0, -1))

    def _variable(self, place: int, name: str) -> _Variable:
        """Find a variable in the lists that begin at the file's global descriptor."""
        r_first, z_first, _, _, _, _, _, dimensions, _ = self._record(place, _GDR, "WWWWiiiii")
        sizes = self._after(place, _GDR, "WWWWiiiiiWiii", f"{_dimensions(dimensions)}i")
        for first, kind in ((z_first, _ZVDR), (r_first, _RVDR)):
            for link in self._chain(first, kind, set()):
                if self._name_of(link, kind) == name:
                    return self._describe(link, kind, sizes)
        raise ValueError(f"it has no variable '{name}'")

    def _name_of(self, place: int, kind: int) -> str:
        (name,) = self._after(place, kind, _DESCRIPTOR, f"{self.name}s")
        return str(name.split(b"\0")[0].decode("latin1")).strip()

    def _describe(self, place: int, kind: int, sizes: tuple[int, ...]) -> _Variable:
        """Read the descriptor of a variable; `sizes` are the dimensions of all r-variables."""
        fields = self._record(place, kind, _DESCRIPTOR)
        _, data_type, last, index, _, _, sparse, *_ = fields
        head = f"{_DESCRIPTOR}{self.name}s"
        if kind == _ZVDR:
            (count,) = self._after(place, kind, head, "i")
            head, count = head + "i", _dimensions(count)
            sizes = self._after(place, kind, head, f"{count}i")
            head += "i" * count
        varies = self._after(place, kind, head, f"{len(sizes)}i")
        if data_type not in _FLOATS or sparse:
            raise ValueError(f"data type {data_type}, sparse records {sparse}")
        shape = tuple(size for size, vary in zip(sizes, varies, strict=True) if vary)
        if min((last, *shape), default=0) < 0:
            raise ValueError(f"a negative size among {(last, *shape)}")
        return _Variable(_FLOATS[data_type], last + 1, index, shape)

    def _data(self, index: int, records: int, size: int) -> bytes:
        """Return the bytes of all records, which lie in blocks that an index lists in order."""
        data = bytearray()
        record_size = size // max(records, 1)
        for first, last, place in self._blocks(index, set()):
            if not 0 <= first <= last < records or first * record_size != len(data):
                raise ValueError(f"a block of records {first} to {last} of {records}")
            data += self._block(place, (last + 1 - first) * record_size)
        if len(data) != size:
            raise ValueError(f"{len(data)} of {size} bytes")
        return bytes(data)

    def _blocks(self, index: int, seen: set[int]) -> Iterator[tuple[int, int, int]]:
        """Yield first record, last record and place of each block, also in nested indices."""
        for link in self._chain(index, _VXR, seen):
            _, entries, used = self._record(link, _VXR, "Wii")
            if not 0 <= used <= entries <= len(self.content):
                raise ValueError(f"an index that uses {used} of {entries} entries")
            columns = f"{entries}i{entries}i{entries}{self.word}"
            listed = self._after(link, _VXR, "Wii", columns)
            rows = (listed[i * entries : i * entries + used] for i in range(3))
            for first, last, place in zip(*rows, strict=True):
                if self._kind(place) == _VXR:
                    yield from self._blocks(place, seen)
                else:
                    yield first, last, place

    def _block(self, place: int, size: int) -> bytes:
        """Return the bytes of a block's records; the block may be larger."""
        if self._kind(place) == _VVR:
            (data,) = self._after(place, _VVR, "", f"{size}s")
            return bytes(data)
        _, packed = self._record(place, _CVVR, "iW")
        if not 0 <= packed <= len(self.content):
            raise ValueError(f"a compressed block of {packed} bytes")
        (data,) = self._after(place, _CVVR, "iW", f"{packed}s")
        return inflate(data, size, _GZIP)

    def _chain(self, place: int, kind: int, seen: set[int]) -> Iterator[int]:
        """Yield the places of records that form a linked list; place 0 ends it."""
        while place:
            if place in seen:
                raise ValueError(f"records of type {kind} that lead to each other")
            seen.add(place)
            yield place
            (place,) = self._record(place, kind, "W")

    def _kind(self, place: int) -> int:
        return int(self._unpack(place, "Wi", 0)[1])

    def _record(self, place: int, kind: int, fields: str) -> tuple[Any, ...]:
        """Return the first fields of a record after its size and type."""
        return self._after(place, kind, "", fields)

    def _after(self, place: int, kind: int, skipped: str, fields: str) -> tuple[Any, ...]:
        """Return the fields of a record that follow the skipped fields."""
        found = self._kind(place)
        if found != kind:
            raise ValueError(f"a record of type {found} at byte {place}, expected {kind}")
        return self._unpack(place, fields, self._size("Wi" + skipped))

    def _unpack(self, place: int, fields: str, skip: int) -> tuple[Any, ...]:
        if not 0 <= place <= len(self.content) - skip - self._size(fields):
            raise ValueError(f"it ends within a record at byte {place}")
        return struct.unpack_from(">" + fields.replace("W", self.word), self.content, place + skip)

    def _size(self, fields: str) -> int:
        return struct.calcsize(">" + fields.replace("W", self.word))


# The fields of a variable's descriptor: next variable, data type, last record, first and last
# index, flags, sparse, three unused, elements of a value, number of the variable, compression
# parameters, records in a block; the name follows.
_DESCRIPTOR = "WiiWWiiiiiiiWi"


def _dimensions(count: int) -> int:
    if not 0 <= count <= _MOST_DIMENSIONS:
        raise ValueError(f"{count} dimensions, expected at most {_MOST_DIMENSIONS}")
    return count
