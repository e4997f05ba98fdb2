from __future__ import annotations

import pickle
from dataclasses import dataclass, replace

import numpy as np
import pytest
from tests.plugins.classical.bodies import observe
from tests.plugins.classical.conftest import message_of

from liftbench import Observations, RunContext
from liftbench.types import Floats
from liftbench_plugins.classical.batch import Batch, batch_spec
from liftbench_plugins.classical.tracks import Factors, Tracks, frames_of

IDS = np.array([5, 5, 5, 2, 2, 2, 2])


def views(seed: int = 0) -> Observations:
    return observe(np.random.default_rng(seed).uniform(1, 5, (7, 6, 2)), sequence=IDS)


class Flat:
    """Returns the image at depth zero, notes the frames of each call, and may refuse some."""

    def __init__(self, refuse: int = 0) -> None:
        self.calls: list[int] = []
        self.refuse = refuse

    def __call__(self, tracks: Tracks, context: RunContext) -> Factors:
        self.calls.append(tracks.frames)
        if tracks.frames == self.refuse:
            raise ValueError("no shape here")
        shape = np.pad(frames_of(tracks.rows, 2), ((0, 0), (0, 0), (0, 1)))
        quarter = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
        return Factors(np.broadcast_to(quarter, (tracks.frames, 3, 3)), shape @ quarter)


@pytest.mark.parametrize(("each", "calls"), [(False, [7]), (True, [4, 3])])
def test_sequences_are_solved_together_or_apart_and_come_back_in_place(
    each: bool, calls: list[int], context: RunContext
) -> None:
    solve = Flat()
    method = Batch(solve, each_sequence=each)
    method.fit(views(), context)
    assert solve.calls == calls
    found = method.predict(views())
    np.testing.assert_allclose(found.points_3d[..., :2], views().points_2d)
    assert not found.points_3d[..., 2].any()
    turned = _turned(found.canonical_3d, found.rotation)
    offsets = found.points_3d - turned
    np.testing.assert_allclose(offsets, offsets[:, :1] + 0 * offsets, atol=1e-12)


def _turned(shape: Floats | None, rotation: Floats | None) -> Floats:
    assert shape is not None
    assert rotation is not None
    return shape @ rotation.swapaxes(1, 2)


def test_boxes_and_sizes_of_pixels_go_with_their_frames(context: RunContext) -> None:
    given = replace(views(), box=np.ones((7, 4)), pixel=np.ones(7))
    method = Batch(Flat(), each_sequence=True)
    method.fit(given, context)
    np.testing.assert_allclose(method.predict(given).points_3d[..., :2], given.points_2d)


def test_other_frames_are_refused(context: RunContext) -> None:
    method = Batch(Flat())
    method.fit(views(), context)
    with pytest.raises(ValueError, match="only the frames that it was fitted on"):
        method.predict(views(seed=1))


def test_frames_with_hidden_points_are_recognised(context: RunContext) -> None:
    visible = np.ones((7, 6), dtype=np.bool_)
    visible[3, 2] = False
    hidden = observe(views().points_2d, visible, IDS)
    method = Batch(Flat())
    method.fit(hidden, context)
    assert method.predict(hidden) is method.found


def test_an_error_names_the_sequence_if_there_are_several(context: RunContext) -> None:
    with pytest.raises(ValueError, match=r"^sequence 5: no shape here$"):
        Batch(Flat(refuse=3), each_sequence=True).fit(views(), context)
    with pytest.raises(ValueError, match=r"^no shape here$") as caught:
        Batch(Flat(refuse=7)).fit(views(), context)
    assert message_of(caught)


@dataclass(frozen=True)
class Params:
    depth: float = 1.0


def deepen(tracks: Tracks, params: Params, context: RunContext) -> Factors:
    flat = Flat()(tracks, context)
    return Factors(flat.rotation, flat.shape + np.array([0, 0, params.depth]))


@pytest.mark.parametrize("temporal", [False, True])
def test_a_spec_makes_the_method_with_its_parameters(temporal: bool, context: RunContext) -> None:
    spec = batch_spec("it", "It", "tests", deepen, Params, temporal=temporal)
    assert spec.capabilities.needs_sequences == temporal
    assert spec.capabilities.transductive
    method = pickle.loads(pickle.dumps(spec.make))(depth=3.0)  # noqa: S301 our own bytes
    method.fit(views(), context)
    assert method.each_sequence == temporal
    size = np.ptp(views().points_2d) / np.ptp(method.found.canonical_3d[..., :2])
    assert method.predict(views()).points_3d[..., 2].min() > 2 * size
    with pytest.raises(TypeError, match="deep"):
        spec.make(deep=3.0)


def test_a_spec_says_what_the_method_can_do() -> None:
    spec = batch_spec("it", "It", "tests", deepen, Params)
    able = spec.capabilities
    assert (able.missing_points, able.seeded, able.most_frames) == (False, False, None)
    spec = batch_spec(
        "it", "It", "tests", deepen, Params, missing_points=True, seeded=True, most_frames=9
    )
    able = spec.capabilities
    assert (able.missing_points, able.seeded, able.most_frames) == (True, True, 9)
    assert (spec.key, spec.title, spec.reference, spec.params) == ("it", "It", "tests", Params)
