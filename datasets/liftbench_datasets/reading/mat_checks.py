"""Checks of MATLAB files before SciPy's reader opens them, as wrong tags make that reader crash.

Source: MATLAB MAT-File Format (MathWorks), levels 4 and 5. Every tag, count and size must fit
within the part of the file that holds it, so that the reader stays inside that part and no array
is larger than its bytes.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

from liftbench_datasets.reading.inflate import inflate

_HEADER = 128  # of level 5
_HEADER_4, _GREATEST_DIGITS_4 = 20, 4052
_NUMBER_BYTES_4 = {0: 8, 1: 4, 2: 4, 3: 2, 4: 2, 5: 1}
_BYTE_ORDERS = {b"\x00\x01IM": "<", b"\x01\x00MI": ">"}
_NUMBER_BYTES = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8}
_TEXT_BYTES = {1: 1, 2: 1, 3: 2, 4: 2, 16: 1, 17: 2, 18: 4}
_INT8, _INT32, _UINT32, _MATRIX, _COMPRESSED = 1, 5, 6, 14, 15
_CELL, _STRUCT, _CHAR, _SPARSE = 1, 2, 4, 5
_NUMBERS = range(6, 16)  # classes double to uint64
_COMPLEX = 0x800  # the flag of an array
_MOST_BYTES = 2**29  # largest size of a decompressed variable
_DEEPEST = 32
_MOST_DIMENSIONS = 32  # NumPy's own limit in SciPy's reader
_HEAD = 56  # bytes of a plain array up to its numbers, see `_is_plain`


def check_content(content: bytes) -> None:
    """Check that the content of a file of version 4 to 7 matches its tags.

    Raises:
        ValueError: a tag is unknown, a part is truncated, or the file holds MATLAB objects or
            functions.
    """
    if 0 in content[:4]:  # level 4 begins with a small integer of four bytes
        _check_level_4(content)
    elif content[124:_HEADER] in _BYTE_ORDERS:
        _check_level_5(content, _BYTE_ORDERS[content[124:_HEADER]])
    else:
        raise ValueError("it does not begin like a MATLAB file")


def _check_level_4(content: bytes) -> None:
    at = 0
    while at < len(content):
        if at + _HEADER_4 > len(content):
            raise ValueError("it is truncated")
        order = "<" if struct.unpack_from("<I", content, at)[0] <= _GREATEST_DIGITS_4 else ">"
        digits, rows, columns, imaginary, name = struct.unpack_from(f"{order}5i", content, at)
        # The digits: byte order, 0, precision, and full matrix, text or sparse.
        if digits % 1000 // 100 or digits % 100 // 10 not in _NUMBER_BYTES_4 or digits % 10 > 2:
            raise ValueError(f"a matrix of type {digits}")
        if min(rows, columns, name) < 0 or imaginary not in (0, 1):
            raise ValueError(f"a matrix of shape {(rows, columns)}")
        size = rows * columns * _NUMBER_BYTES_4[digits % 100 // 10] * (1 + imaginary)
        at += _HEADER_4 + name + size
        if at > len(content):
            raise ValueError(
                f"it is truncated, or a matrix of shape {(rows, columns)} is too large"
            )


def _check_level_5(content: bytes, order: str) -> None:
    part = _Part(content, _HEADER, len(content), order)
    while part.at < part.end:
        kind, body = part.element()
        if kind == _COMPRESSED:
            inflated = inflate(body.content[body.at : body.end], _MOST_BYTES)
            kind, body = _Part(inflated, 0, len(inflated), order).element()
        if kind != _MATRIX:
            raise ValueError(f"a variable of data type {kind}, where only {_MATRIX} can be")
        _check_matrix(body, 0)


@dataclass
class _Part:
    """Bytes from `at` to `end` of some content, read from the front."""

    content: bytes
    at: int
    end: int
    order: str

    def element(self) -> tuple[int, _Part]:
        """Return the data type and the body of the next element."""
        kind, size = self._take("II", 8)
        if kind >> 16:  # a small element: type and size share a word, and four bytes follow
            kind, size, start = kind & 0xFFFF, kind >> 16, self.at - 4
            if size > 4:
                raise ValueError(f"a small element of {size} bytes")
        else:
            start = self.at
            # A compressed element is not padded to eight bytes.
            self.at += size if kind == _COMPRESSED else -(-size // 8) * 8
        if start + size > self.end:
            raise ValueError("it is truncated, or a part claims to be longer than the whole")
        return kind, _Part(self.content, start, start + size, self.order)

    def numbers(self, kind: int, code: str) -> tuple[int, ...]:
        """Return the next element, which must hold whole numbers of four bytes."""
        found, body = self.element()
        count, rest = divmod(body.end - body.at, 4)
        if found != kind or rest:
            raise ValueError(f"an element of data type {found}, expected {kind}")
        return body._take(f"{count}{code}", 4 * count)

    def data(self, bytes_of: dict[int, int]) -> int:
        """Return the number of values or characters in the next element."""
        kind, body = self.element()
        if kind not in bytes_of:
            raise ValueError(f"data of an unknown type {kind}")
        return (body.end - body.at) // bytes_of[kind]

    def _take(self, code: str, size: int) -> tuple[int, ...]:
        if self.at + size > self.end:
            raise ValueError("it is truncated")
        values = struct.unpack_from(self.order + code, self.content, self.at)
        self.at += size
        return values


def _check_matrix(part: _Part, depth: int) -> None:
    """Check an array and everything in it."""
    if part.at == part.end:  # an empty array
        return
    if depth > _DEEPEST:
        raise ValueError(f"arrays within arrays more than {_DEEPEST} deep")
    flags = part.numbers(_UINT32, "I")
    shape = part.numbers(_INT32, "i")
    if len(flags) != 2 or not 2 <= len(shape) <= _MOST_DIMENSIONS or min(shape) < 0:
        raise ValueError(f"an array of shape {shape}")
    part.data({_INT8: 1})  # its name
    kind = flags[0] & 0xFF
    if kind in (_CELL, _STRUCT):
        _check_members(part, math.prod(shape), _fields(part) if kind == _STRUCT else 1, depth)
    elif kind == _SPARSE:
        part.data(_NUMBER_BYTES)
        part.data(_NUMBER_BYTES)
        part.data(_NUMBER_BYTES)
    elif kind == _CHAR or kind in _NUMBERS:
        _check_values(part, math.prod(shape), kind, complex_too=bool(flags[0] & _COMPLEX))
    else:
        raise ValueError(f"an array of class {kind}: objects and functions are not read")


def _check_values(part: _Part, count: int, kind: int, *, complex_too: bool) -> None:
    for _ in range(2 if complex_too else 1):
        held = part.data(_TEXT_BYTES if kind == _CHAR else _NUMBER_BYTES)
        if count > held:
            raise ValueError(f"an array of {count} values that holds {held}")


def _fields(part: _Part) -> int:
    """Check the field names of a struct and return how many there are."""
    length = part.numbers(_INT32, "i")
    if len(length) != 1 or not 0 < length[0] <= 64:
        raise ValueError(f"field names of length {length}")
    return part.data({_INT8: length[0]})


def _check_members(part: _Part, count: int, fields: int, depth: int) -> None:
    """Check the arrays in a cell array or a struct."""
    if count * max(fields, 1) > (part.end - part.at) // 8 + (fields == 0):
        raise ValueError(f"{count} x {fields} arrays in {part.end - part.at} bytes")
    # Structs may hold a million arrays with few different heads; each of these is checked once.
    sizes: dict[bytes, int] = {}
    for _ in range(count * fields):
        head, start = part.content[part.at : part.at + _HEAD], part.at
        if sizes.get(head, len(part.content)) <= part.end - part.at:
            part.at += sizes[head]
            continue
        kind, body = part.element()
        if kind != _MATRIX:
            raise ValueError(f"an element of data type {kind}, expected {_MATRIX}")
        _check_matrix(body, depth + 1)
        if _is_plain(head, part.order):
            sizes[head] = part.at - start


def _is_plain(head: bytes, order: str) -> bool:
    """Whether an array is real, has two dimensions and no name: so its head is all to check."""
    if len(head) < _HEAD:
        return False
    words = struct.unpack(f"{order}{_HEAD // 4}I", head)
    tags = words[2:4], words[6:8], words[10:12]
    real = words[4] & 0xFF in _NUMBERS and not words[4] & _COMPLEX
    return real and tags == ((_UINT32, 8), (_INT32, 8), (_INT8, 0))
