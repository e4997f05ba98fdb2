"""What generated datasets share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from liftbench_datasets.adapting.generated import Generated, check_visible

SEEN = np.array([[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 0, 0]], dtype=bool)


def test_the_finding_counts_visible_points() -> None:
    finding = check_visible(SEEN, 1)
    assert (finding.item, finding.ok) == ("visible points", True)
    assert finding.detail == "1 to 3 of 4 points per frame, 2.0 on average"
    assert check_visible(SEEN, 1, "parts").item == "visible parts"


def test_a_frame_with_too_few_points_is_found() -> None:
    assert check_visible(SEEN[:2], 2).ok
    assert not check_visible(SEEN, 2).ok


def test_a_point_that_no_frame_shows_is_found() -> None:
    assert not check_visible(SEEN, 1, each_seen=True).ok
    assert check_visible(SEEN[:, :3], 1, each_seen=True).ok


@dataclass(frozen=True)
class Before:
    frames: int = 3


@dataclass(frozen=True)
class After(Before):
    colour: str = "grey"


class Old(Generated[Before]):
    key, version = "synthetic_grey", 1

    def __init__(self, params: Before) -> None:
        self.params = params


class New(Old):
    added_params: ClassVar[Mapping[str, Any]] = {"colour": "grey"}


def test_an_added_parameter_leaves_the_checksum_until_it_changes() -> None:
    def checksum(data: Old) -> str:
        return data.checksum(Path("/nonexistent"), "all")

    assert checksum(New(After())) == checksum(Old(Before()))
    assert checksum(New(After(frames=4))) == checksum(Old(Before(4)))
    sums = [checksum(New(After(colour=c))) for c in ("grey", "red", "blue")]
    assert len(set(sums)) == 3
    assert checksum(Old(After())) != sums[0]
