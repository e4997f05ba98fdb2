"""Randomly damaged text files for the tests of both readers."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st

from liftbench.errors import UserError


@st.composite
def damaged(draw: st.DrawFn, text: str) -> bytes:
    """Return the text with lines deleted, doubled, moved, and bytes changed."""
    lines = text.splitlines()
    for _ in range(draw(st.integers(0, 3))):
        at, to = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
        match draw(st.sampled_from(["delete", "double", "swap", "cut", "shuffle"])):
            case "delete" if len(lines) > 1:
                del lines[at]
            case "double":
                lines.insert(to, lines[at])
            case "swap":
                lines[at], lines[to] = lines[to], lines[at]
            case "cut":
                lines[at] = lines[at][: draw(st.integers(0, len(lines[at])))]
            case "shuffle":
                draw(st.randoms()).shuffle(lines)
    content = bytearray("\n".join(lines).encode())
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(content)))
        junk = draw(st.binary(max_size=2) | st.sampled_from([b"-", b"e", b"\n", b"nan", b" 9 "]))
        content[at : at + draw(st.integers(0, 2))] = junk
    return bytes(content)


def assert_one_line(error: UserError, path: Path) -> None:
    assert str(error).startswith(str(path))
    assert len(str(error).splitlines()) == 1
