from dataclasses import dataclass, replace

import numpy as np
import pytest

from liftbench import Observations, RunContext, Skeleton
from liftbench_plugins.classical.batch import Batch, batch_spec
from liftbench_plugins.classical.tracks import Factors, frames_of

IDS = np.array([5, 5, 5, 2, 2, 2, 2])


def observe(points_2d, sequence=IDS):
    return Observations(
        points_2d,
        np.ones(points_2d.shape[:2], dtype=bool),
        sequence,
        "orthographic",
        Skeleton(tuple(map(str, range(points_2d.shape[1])))),
    )


def points(seed=0):
    return np.random.default_rng(seed).uniform(1, 5, (7, 6, 2))


class Flat:
    """Keeps the image; notes how many frames it is called with."""

    def __init__(self, refuse=0):
        self.calls, self.refuse = [], refuse

    def __call__(self, tracks, context):
        self.calls.append(tracks.frames)
        if tracks.frames == self.refuse:
            raise ValueError("no shape here")
        shape = np.pad(frames_of(tracks.rows, 2), ((0, 0), (0, 0), (0, 1)))
        return Factors(np.broadcast_to(np.eye(3), (tracks.frames, 3, 3)), shape)


def context(tmp_path):
    return RunContext(0, "cpu", 1, 1e6, tmp_path, lambda *_: None)


@pytest.mark.parametrize(("each", "calls"), [(False, [7]), (True, [4, 3])])
def test_sequences_are_solved_together_or_apart_and_come_back_in_place(each, calls, tmp_path):
    solve = Flat()
    method = Batch(solve, each_sequence=each)
    method.fit(observe(points()), context(tmp_path))
    assert solve.calls == calls
    found = method.predict(observe(points()))
    np.testing.assert_allclose(found.points_3d[..., :2], points())
    assert not found.points_3d[..., 2].any()


def test_boxes_and_sizes_of_pixels_go_with_their_frames(tmp_path):
    given = replace(observe(points()), box=np.ones((7, 4)), pixel=np.ones(7))
    method = Batch(Flat(), each_sequence=True)
    method.fit(given, context(tmp_path))
    np.testing.assert_allclose(method.predict(given).points_3d[..., :2], points())


def test_other_frames_are_refused(tmp_path):
    method = Batch(Flat())
    method.fit(observe(points()), context(tmp_path))
    with pytest.raises(ValueError, match="only the frames that it was fitted on"):
        method.predict(observe(points(seed=1)))


def test_an_error_names_the_sequence_where_there_are_several(tmp_path):
    with pytest.raises(ValueError, match=r"^sequence 5: no shape here$"):
        Batch(Flat(refuse=3), each_sequence=True).fit(observe(points()), context(tmp_path))
    with pytest.raises(ValueError, match=r"^no shape here$"):
        Batch(Flat(refuse=7)).fit(observe(points()), context(tmp_path))


@dataclass(frozen=True)
class Params:
    depth: float = 1.0


@pytest.mark.parametrize("temporal", [False, True])
def test_a_spec_makes_the_method_with_its_parameters(temporal, tmp_path):
    def solve(tracks, params, context):
        flat = Flat()(tracks, context)
        return Factors(flat.rotation, flat.shape + np.array([0, 0, params.depth]))

    spec = batch_spec("it", "It", "tests", solve, Params, temporal=temporal)
    assert spec.capabilities.needs_sequences == temporal
    assert spec.capabilities.transductive
    method = spec.make(depth=3.0)
    method.fit(observe(points()), context(tmp_path))
    assert method.each_sequence == temporal
    assert method.predict(observe(points())).points_3d[..., 2].min() > 0
    with pytest.raises(TypeError, match="deep"):
        spec.make(deep=3.0)
