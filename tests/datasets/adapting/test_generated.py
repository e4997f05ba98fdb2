"""What generated datasets share."""

from __future__ import annotations

import numpy as np

from liftbench_datasets.adapting.generated import check_visible

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
