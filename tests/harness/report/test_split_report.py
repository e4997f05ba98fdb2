"""How the errors of frames are summed up, and which frames are shown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from liftbench.protocols.builtin import BUILTIN_PROTOCOLS
from liftbench.protocols.metrics import BUILTIN_METRICS
from liftbench.report.frames import MOST_POINTS, PointProtocol, RunFrames, point_step
from liftbench.report.split_report import error_bins, make_split_report
from liftbench.runs.store import RunSpec

E3D = PointProtocol(BUILTIN_PROTOCOLS[0], BUILTIN_METRICS[0], "ratio")


def frames(
    errors: list[float], points: int = 4, edges: tuple[tuple[int, int], ...] = ()
) -> RunFrames:
    rng = np.random.default_rng(0)
    return RunFrames(
        errors=np.array(errors, dtype=np.float32),
        frame=np.array([3, 1, 2]),
        sequence=np.array([0, 0, 5]),
        error=np.array([0.1, 0.2, 0.3]),
        predicted=rng.normal(size=(3, points, 3)),
        truth=rng.normal(size=(3, points, 3)),
        hidden=rng.random((3, points)) < 0.5,
        counts=np.ones((3, points), dtype=bool),
        names=np.array([f"p{i}" for i in range(points)]),
        edges=np.array(edges, dtype=np.int64).reshape(-1, 2),
        unit=np.array("m"),
        pictures=np.empty(0, dtype=np.uint8),
        positions=np.empty(0),
        taught=np.empty(0),
        taught_error=np.empty(0),
    )


def spec(seed: int) -> RunSpec:
    return RunSpec({}, "train", ("train",), {}, seed)


def test_a_method_has_the_frames_of_all_its_seeds_and_shows_the_first() -> None:
    runs = [(spec(0), frames([0.1, 0.2, 0.4])), (spec(1), frames([0.3, 0.8]))]
    split = make_split_report("data", E3D, {"ours": runs, "other": [(spec(2), frames([0.5]))]})
    ours, other = split.spreads
    assert (ours.method, ours.seeds, ours.frames) == ("ours", 2, 5)
    expected = np.quantile(
        np.array([0.1, 0.2, 0.3, 0.4, 0.8], dtype=np.float32), [0.05, 0.25, 0.5, 0.75, 0.95]
    )
    assert ours.quantiles == pytest.approx(expected)
    assert (other.seeds, other.frames) == (1, 1)
    assert [(g.method, g.seed) for g in split.galleries] == [("ours", 0), ("other", 2)]
    assert [frame.rank for frame in split.galleries[0].frames] == ["best", "median", "worst"]
    assert split.metric == "e3d@1 (ratio)"


def test_shares_count_every_frame_once_in_its_bin() -> None:
    errors = np.random.default_rng(1).lognormal(-3, 1, 999)
    split = make_split_report("data", E3D, {"ours": [(spec(0), frames(errors.tolist()))]})
    bins, (spread,) = np.array(split.bins), split.spreads
    assert sum(spread.shares) == pytest.approx(1, abs=1e-3)
    assert np.allclose(bins[1:] / bins[:-1], bins[1] / bins[0])
    k = 30
    inside = ((errors >= bins[k]) & (errors < bins[k + 1])).mean()
    assert spread.shares[k] == pytest.approx(inside, abs=2e-3)


@pytest.mark.parametrize("errors", [[0.0, 0.0], [0.0, 0.5], [0.25], [1e-12, 1.0]])
def test_bins_ascend_for_any_errors(errors: list[float]) -> None:
    bins = error_bins(np.array(errors))
    assert (np.diff(bins) > 0).all()
    assert bins[-1] >= max(errors) * (1 - 1e-12)
    split = make_split_report("data", E3D, {"ours": [(spec(0), frames(errors))]})
    assert sum(split.spreads[0].shares) == pytest.approx(1, abs=1e-3)


def test_frames_of_many_points_show_every_nth_with_the_edges_between_them() -> None:
    many = 2 * MOST_POINTS + 1
    edges = ((0, 3), (3, 6), (3, 4), (many - 2, many - 1), (999, 0))
    shown = make_split_report("data", E3D, {"ours": [(spec(0), frames([0.1], many, edges))]})
    step = point_step(many)
    assert step == 3
    (gallery,) = shown.galleries
    whole = frames([0.1], many)
    assert np.array_equal(gallery.frames[1].truth, whole.truth[1, ::3])
    assert np.array_equal(gallery.frames[1].hidden, whole.hidden[1, ::3])
    assert len(gallery.frames[0].predicted) == len(shown.names) <= MOST_POINTS
    assert shown.points == many
    assert shown.names[:3] == ("p0", "p3", "p6")
    assert shown.edges == ((0, 1), (1, 2), (333, 0))
    assert point_step(MOST_POINTS) == 1


def test_units_are_those_of_the_errors() -> None:
    protocol = replace(BUILTIN_PROTOCOLS[0], name="mpjpe")
    length = PointProtocol(protocol, BUILTIN_METRICS[1], "length")
    split = make_split_report("data", length, {"ours": [(spec(0), frames([0.1]))]})
    assert (split.metric, split.unit) == ("mpjpe@1 (m)", "m")
