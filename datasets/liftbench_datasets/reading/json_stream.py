"""Reader of JSON files of any size: the entries of one list, a few at a time in memory.

Why not ijson: it refuses NaN, which Python's json writes for hidden points; its errors name no
place; and it takes tens of GB for a file of 100 kB in which every byte opens a bracket.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, TextIO

_BLOCK = 1 << 20
_LONGEST = 1 << 26  # characters of one value; entries of real files are shorter
_SPACE = re.compile(r"[ \t\r\n]*")
_IN_NUMBERS = "+-.0123456789Ee"
_DECODER = json.JSONDecoder()


def stream_entries(stream: TextIO, key: str) -> Iterator[Any]:
    """Yield the entries of a list that is a whole JSON text or the value of one of its keys.

    Args:
        stream: the text.
        key: the key of the list, if the text is an object.

    Raises:
        ValueError: the text is not JSON, ends early or has no such list.
    """
    text = _Text(stream)
    inside = text.peek() == "{"
    if inside:
        text.take("{")
        _skip_to(text, key)
    yield from _entries(text)
    while inside and text.take(",}") == ",":
        _member_name(text)
        text.value()
    if text.peek():
        raise ValueError("there is more after the end of its JSON")


def _skip_to(text: _Text, key: str) -> None:
    while _member_name(text) != key:
        text.value()
        if text.take(",}") == "}":
            raise ValueError(f"it has no '{key}'")


def _member_name(text: _Text) -> Any:  # noqa: ANN401 any JSON value, though only texts are valid
    name = text.value()
    text.take(":")
    return name


def _entries(text: _Text) -> Iterator[Any]:
    text.take("[")
    if text.peek() == "]":
        text.take("]")
        return
    yield text.value()
    while text.take(",]") == ",":
        yield text.value()


class _Text:
    """A window that moves over a text.

    Attributes:
        window: the part of the text that is in memory.
        at: index of the next character in the window.
        passed: number of characters before the window.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.window = ""
        self.at = 0
        self.passed = 0

    def peek(self) -> str:
        """Return the next character that is not white space, or "" at the end."""
        while True:
            self.at = _SPACE.match(self.window, self.at).end()  # type: ignore[union-attr]
            if self.at < len(self.window):
                return self.window[self.at]
            if not self._more():
                return ""

    def take(self, expected: str) -> str:
        """Return the next character, which must be one of `expected`."""
        found = self.peek()
        if not found or found not in expected:
            wanted = " or ".join(repr(mark) for mark in expected)
            raise ValueError(f"expected {wanted}, got {repr(found) if found else 'the end'}")
        self.at += 1
        return found

    def value(self) -> Any:  # noqa: ANN401 any JSON value
        """Return the next value; read on if it goes beyond the window."""
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self.window, self.at)
            except json.JSONDecodeError as error:
                reason = f"{error.msg} at character {self.passed + error.pos}"
                if not self._more():
                    raise ValueError(reason) from error
                continue
            except RecursionError as error:
                place = self.passed + self.at
                raise ValueError(f"brackets are nested too deep at character {place}") from error
            length = end - self.at
            # A number that ends near the end of the window may continue after it.
            whole = end < len(self.window) and self.window[end] not in _IN_NUMBERS
            if whole or not self._more():
                self.at += length
                return value

    def _more(self) -> bool:
        """Read at least as much as the window still holds, so that long values take linear time."""
        left = len(self.window) - self.at
        if left > _LONGEST:
            raise ValueError(f"a value is damaged or longer than {_LONGEST} characters")
        block = self.stream.read(max(_BLOCK, left))
        self.window = self.window[self.at :] + block
        self.passed += self.at
        self.at = 0
        return bool(block)
