"""A method cannot find the ground truth in the process that it runs in."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from liftbench.plugin.registry import load_plugin_file

if TYPE_CHECKING:
    from tests.harness.conftest import TinyBench

# The upper five bytes of the numbers, masked so that no file or memory holds them unmasked.
MASK = 0x5A
MASKED_POINTS = bytes([0x91, 0xC3, 0xA7, 0xF5, 0x3F][i] ^ MASK for i in range(5))
MASKED_TRUTH = bytes([0x86, 0xB2, 0x5D, 0xF3, 0x3F][i] ^ MASK for i in range(5))
ROOT_NAME = "vault-of-truth-7193"


def tagged(masked: bytes, count: int) -> np.ndarray[Any, Any]:
    """Return different numbers between 1 and 2 whose upper five bytes are the tag."""
    tag = bytes(b ^ MASK for b in masked)
    lower = [struct.pack("<I", 9973 * (i + 1))[:3] for i in range(count)]
    return np.array([struct.unpack("<d", low + tag)[0] for low in lower])


def tagged_frames() -> np.ndarray[Any, Any]:
    """Return frames whose x carry the tag of the points and whose z that of the truth."""
    frames = np.random.default_rng(3).uniform(1, 2, (12, 5, 3))
    frames[..., 0] = tagged(MASKED_POINTS, 60).reshape(12, 5)
    frames[..., 2] = tagged(MASKED_TRUTH, 60).reshape(12, 5)
    return frames


@pytest.fixture
def report(whole_bench: TinyBench, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a scanning method found in its own process."""
    bench = whole_bench
    root = bench.folder / ROOT_NAME
    bench.root.rename(root)
    np.save(root / "tiny" / "one.npy", tagged_frames())
    masked_name = bytes(b ^ MASK for b in ROOT_NAME.encode())
    params = {
        "names": ["points", "truth", "root"],
        "masked": [m.hex() for m in (MASKED_POINTS, MASKED_TRUTH, masked_name)],
        "report": str(bench.folder / "report.json"),
    }
    data = {"dataset": "tiny", "subsets": ["one"], "fit": "train", "evaluate": ["train", "unseen"]}
    suite = bench.suite(methods={"scanner": {"params": params}}, data=[data])
    monkeypatch.setenv("LIFTBENCH_DATA", str(root))
    words = bench.words("run", suite, "--methods", "scanner", plugins=("tiny", "scanner"))
    bench.call_plainly([word for word in words if not word.startswith("--data-root")])
    record = bench.records()["scanner"]
    assert record.status == "ok", record.error
    found: dict[str, Any] = json.loads((bench.folder / "report.json").read_text(encoding="utf-8"))
    return found


def test_method_finds_its_points_but_no_truth(report: dict[str, Any]) -> None:
    assert report["points_seen"] == tagged_frames()[0, 0, 0]
    for place in ("memory", "files"):
        assert report[place]["points"] > 0, f"the search finds nothing at all in {place}"
        assert report[place]["truth"] == 0, f"ground truth in the {place} of the child"
        assert report[place]["root"] == 0, f"the way to the data in the {place} of the child"
    surroundings = "\n".join(report["surroundings"])
    assert "scanner" in surroundings
    assert "PATH=" in surroundings
    assert ROOT_NAME not in surroundings
    assert "LIFTBENCH_" not in surroundings
    assert not [name for name in report["open_files"] if ROOT_NAME in name]
    assert "Observations" in report["objects"]
    assert not {"GroundTruth", "Dataset"} & set(report["objects"])


def test_search_finds_a_pattern_wherever_it_lies(plugins_folder: Path) -> None:
    scanner = load_plugin_file(plugins_folder / "scanner.py")
    truth = tagged_frames().tobytes()
    assert scanner.count(b"x" + truth, MASKED_TRUTH) == 60
    assert scanner.count(truth, MASKED_POINTS) == 60
    assert scanner.count(tagged_frames()[..., :2].tobytes(), MASKED_TRUTH) == 0


def test_no_plugin_file_holds_an_unmasked_tag(plugins_folder: Path) -> None:
    """A method could not tell a tag in its own source from the truth."""
    for file in plugins_folder.glob("*.py"):
        for masked in (MASKED_POINTS, MASKED_TRUTH):
            assert bytes(b ^ MASK for b in masked) not in file.read_bytes()
