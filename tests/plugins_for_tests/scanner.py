"""A method that searches its own process for byte patterns, such as those of the ground truth.

The patterns come masked, and only their first bytes are ever unmasked, so that the search does
not find itself.
"""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from liftbench import (
    Capabilities,
    MethodSpec,
    Observations,
    Reconstruction,
    RunContext,
    hookimpl,
)

MASK = 0x5A
_BLOCK = 1 << 22
_NEEDLE = 3


@dataclass(frozen=True)
class ScannerParams:
    """Masked patterns as hex by their names, and where the report goes."""

    names: tuple[str, ...]
    masked: tuple[str, ...]
    report: str


class Scanner:
    def __init__(self, names: Sequence[str], masked: Sequence[str], report: str) -> None:
        self.masked = {n: bytes.fromhex(m) for n, m in zip(names, masked, strict=True)}
        self.report = Path(report)

    def fit(self, observations: Observations, context: RunContext) -> None:
        found = {
            "memory": self._counts(_memory()),
            "files": self._counts(p.read_bytes() for p in Path.cwd().rglob("*") if p.is_file()),
            "open_files": list(_open_files()),
            "surroundings": [
                Path("/proc/self/environ").read_text(encoding="utf-8"),
                Path("/proc/self/cmdline").read_text(encoding="utf-8"),
                str(Path.cwd()),
                Path("task.json").read_text(encoding="utf-8"),
            ],
            "objects": sorted({type(item).__name__ for item in gc.get_objects()}),
            "points_seen": float(observations.points_2d[0, 0, 0]),
        }
        self.report.write_text(json.dumps(found), encoding="utf-8")

    def predict(self, observations: Observations) -> Reconstruction:
        return Reconstruction(np.pad(observations.points_2d, ((0, 0), (0, 0), (0, 1))))

    def _counts(self, blocks: Iterator[bytes]) -> dict[str, int]:
        counts = dict.fromkeys(self.masked, 0)
        for block in blocks:
            for name, masked in self.masked.items():
                counts[name] += count(block, masked)
        return counts


def count(block: bytes, masked: bytes) -> int:
    """Return how often the pattern occurs in a block."""
    needle, rest = bytes(b ^ MASK for b in masked[:_NEEDLE]), masked[_NEEDLE:]
    found, at = 0, block.find(needle)
    while at >= 0:
        after = block[at + _NEEDLE : at + len(masked)]
        found += bytes(b ^ MASK for b in after) == rest
        at = block.find(needle, at + 1)
    return found


def _memory() -> Iterator[bytes]:
    """Yield all that can be read of this process's memory, in blocks that overlap a little."""
    maps = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    with open("/proc/self/mem", "rb", buffering=0) as memory:  # noqa: PTH123 unbuffered
        for line in maps:
            span, rights = line.split()[:2]
            first, last = (int(end, 16) for end in span.split("-"))
            if not rights.startswith("r"):
                continue
            for start in range(first, last, _BLOCK):
                try:
                    memory.seek(start)
                    yield memory.read(min(_BLOCK + 64, last - start))
                except (OSError, OverflowError):
                    break


def _open_files() -> Iterator[str]:
    for number in Path("/proc/self/fd").iterdir():
        try:
            yield os.readlink(number)  # noqa: PTH115 text, also of what is no file
        except OSError:
            continue


@hookimpl
def liftbench_methods() -> Sequence[MethodSpec]:
    once = Capabilities(seeded=False)
    return [MethodSpec("scanner", "Scanner", "tests", Scanner, ScannerParams, capabilities=once)]
