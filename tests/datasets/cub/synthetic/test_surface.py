"""The skin of generated birds: closed, symmetric, with parts where their names say."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from liftbench.seeds import named_rng
from liftbench.types import Floats
from liftbench_datasets.cub.adapter import SKELETON
from liftbench_datasets.cub.synthetic.plumage import REGIONS, draw_plumage, vertex_colours
from liftbench_datasets.cub.synthetic.points import VERTICES
from liftbench_datasets.cub.synthetic.shapes import (
    MEASURES,
    POSE,
    draw_measures,
    draw_poses,
    draw_species,
)
from liftbench_datasets.cub.synthetic.surface import FACES, MEAN, VERTEX_TUBES, bird_surface, vertex

PARTS = SKELETON.points
LEFT, RIGHT = np.array(SKELETON.left_right).T
MIRROR = np.array([-1.0, 1.0, 1.0])


def bird(pose: Mapping[str, float] | None = None, **measures: float) -> Floats:
    return bird_of(measures, pose or {})


def bird_of(measures: Mapping[str, float], pose: Mapping[str, float]) -> Floats:
    """Return the surface of a mean bird but for some measures and angles."""
    sizes = np.array([[measures.get(name, 1.0) for name in MEASURES]])
    angles = np.array([[pose.get(name, 0.0) for name in POSE]])
    surface: Floats = bird_surface(sizes, angles)[0]
    return surface


def part(vertices: Floats, name: str) -> Floats:
    place: Floats = vertices[VERTICES[PARTS.index(name)]]
    return place


def flock(count: int, kinds: int = 30) -> tuple[Floats, Floats]:
    """Return measures and poses of birds of many species."""
    rng = named_rng("test flock")
    species = draw_species(rng, kinds)
    measures = draw_measures(rng, species[rng.integers(kinds, size=count)])
    return measures, draw_poses(rng, count)


def test_the_skin_is_closed() -> None:
    """Each edge of the faces belongs to two of them, in opposite directions."""
    ends = np.concatenate([FACES[:, [a, b]] for a, b in ((0, 1), (1, 2), (2, 0))])
    edges = set(map(tuple, ends.tolist()))
    assert len(edges) == len(ends)
    assert edges == {(b, a) for a, b in edges}
    np.testing.assert_array_equal(np.unique(FACES), np.arange(len(MEAN)))
    for tube in np.unique(VERTEX_TUBES):  # Euler's number of a sphere
        faces = (VERTEX_TUBES[FACES] == tube).all(axis=1).sum()
        assert (tube == VERTEX_TUBES).sum() - faces / 2 == 2


def test_every_part_of_every_bird_has_its_inside_inside() -> None:
    surfaces = bird_surface(*flock(60))
    volumes = np.linalg.det(surfaces[:, FACES])
    for tube in np.unique(VERTEX_TUBES):
        of_tube = volumes[:, VERTEX_TUBES[FACES[:, 0]] == tube].sum(axis=1) / 6
        assert (of_tube > 0).all(), tube


def test_the_mean_bird_is_symmetric() -> None:
    points = MEAN[VERTICES]
    np.testing.assert_allclose(points[RIGHT], points[LEFT] * MIRROR, atol=1e-12)
    middle = np.setdiff1d(np.arange(15), [*LEFT, *RIGHT])
    np.testing.assert_allclose(points[middle, 0], 0, atol=1e-12)
    assert (points[LEFT, 0] > 0.02).all()


def test_parts_lie_where_their_names_say() -> None:
    from_the_beak = ["beak", "forehead", "crown", "nape", "back", "tail"]
    assert (np.diff([part(MEAN, name)[1] for name in from_the_beak]) > 0).all()
    below = ["throat", "breast", "belly"]
    assert (np.diff([part(MEAN, name)[1] for name in below]) > 0).all()
    pairs = [("crown", "left eye"), ("left eye", "throat"), ("nape", "throat"), ("back", "belly")]
    for upper, lower in [*pairs, ("left wing", "left leg"), ("forehead", "beak")]:
        assert part(MEAN, upper)[2] > part(MEAN, lower)[2] + 0.05
    ends = [part(MEAN, name)[1] for name in ("beak", "tail")]
    np.testing.assert_allclose(ends, [MEAN[:, 1].min(), MEAN[:, 1].max()])


def test_birds_are_shaped_as_those_of_cmr() -> None:
    """Lengths over the one from beak to tail, of the shape in CMR's structure from motion.

    That is one rigid shape for birds in all poses, so the bounds are wide.
    """
    points = bird_surface(*flock(200))[:, VERTICES]

    def distance(one: str, other: str) -> Floats:
        gaps = points[:, PARTS.index(one)] - points[:, PARTS.index(other)]
        lengths: Floats = np.linalg.norm(gaps, axis=1)
        return lengths

    for pair, expected in (
        (("crown", "throat"), 0.16),
        (("back", "belly"), 0.32),
        (("beak", "nape"), 0.27),
        (("beak", "back"), 0.42),
        (("left wing", "right wing"), 0.37),
    ):
        found = np.median(distance(*pair) / distance("beak", "tail"))
        assert found == pytest.approx(expected, abs=0.08), pair


@pytest.mark.parametrize(
    ("measure", "axis", "ends"),
    [
        ("width", 0, ("left wing", "right wing")),
        ("depth", 2, ("back", "belly")),
        ("neck", 1, ("crown", "back")),
        ("neck_width", 2, ("nape", "throat")),
        ("head", 0, ("left eye", "right eye")),
        ("beak", 1, ("beak", "forehead")),
        ("tail", 1, ("tail", "back")),
        ("leg", 2, ("left leg", "back")),
    ],
)
def test_measures_change_what_they_name(measure: str, axis: int, ends: tuple[str, str]) -> None:
    lengths = [
        abs(np.subtract(*(part(surface, end)[axis] for end in ends)))
        for surface in (MEAN, bird_of({measure: 1.3}, {}))
    ]
    assert 1.02 < lengths[1] / lengths[0] < 1.31


@pytest.mark.parametrize(
    ("measure", "tube"),
    [
        ("beak_depth", "spine"),
        ("tail_width", "spine"),
        ("wing", "lwing"),
        ("wing_width", "lwing"),
        ("leg_width", "lleg"),
        ("foot", "lfoot"),
    ],
)
def test_other_measures_change_their_tube_alone(measure: str, tube: str) -> None:
    moved = np.linalg.norm(bird_of({measure: 1.3}, {}) - MEAN, axis=1) > 1e-9
    both = {tube, tube.replace("l", "r", 1)} if tube != "spine" else {tube}
    here = np.isin(VERTEX_TUBES, sorted(both))
    assert moved[here].mean() > 0.02
    assert not moved[~here].any()


def test_turning_the_head_moves_the_head_alone() -> None:
    turned = bird({"head_turn": 60.0})
    moved = np.linalg.norm((turned - MEAN)[VERTICES], axis=1)
    head = [PARTS.index(n) for n in ("beak", "forehead", "left eye", "right eye")]
    still = [PARTS.index(n) for n in ("back", "belly", "tail", "left wing", "left leg")]
    assert moved[head].min() > 0.05
    np.testing.assert_allclose(moved[still], 0, atol=1e-12)
    assert part(turned, "beak")[0] > 0.2  # to the bird's left


def test_rising_lifts_and_turning_the_whole_bird_changes_no_shape() -> None:
    assert part(bird({"neck_rise": 40.0}), "beak")[2] > part(MEAN, "beak")[2] + 0.1
    assert part(bird({"head_rise": 40.0}), "beak")[2] > part(MEAN, "beak")[2] + 0.1
    assert part(bird({"tail_rise": 30.0}), "tail")[2] > part(MEAN, "tail")[2] + 0.1
    np.testing.assert_array_equal(bird({"rise": 50.0}), MEAN)
    back = bird({"left_leg": 80.0})
    foot = vertex("lfoot", 2, 12)
    assert back[foot, 1] > MEAN[foot, 1] + 0.2
    assert back[foot, 2] > MEAN[foot, 2] + 0.2


def test_wings_fold_along_the_trunk_and_spread_to_the_sides() -> None:
    tip, root = vertex("lwing", 6, 0), vertex("lwing", 0, 0)
    along = MEAN[tip] - MEAN[root]
    assert along[1] > 0.95 * np.linalg.norm(along)
    spread = bird({"spread": 1.0})
    along = spread[tip] - spread[root]
    assert along[0] > 0.95 * np.linalg.norm(along)
    assert np.linalg.norm(along) > 1.5 * np.linalg.norm(MEAN[tip] - MEAN[root])
    flat = np.ptp(spread[VERTEX_TUBES == "lwing"], axis=0)
    assert flat[2] < 0.6 * flat[1] < 0.3 * flat[0]
    assert bird({"spread": 1.0, "left_flap": 30.0})[tip, 2] > spread[tip, 2] + 0.4


def test_a_mirrored_pose_is_a_mirrored_bird() -> None:
    pose = {
        "neck_turn": 10.0,
        "head_turn": -25.0,
        "head_tilt": 12.0,
        "tail_turn": 6.0,
        "spread": 0.8,
        "left_flap": 20.0,
        "right_flap": -5.0,
        "left_leg": 30.0,
        "right_leg": 10.0,
    }
    swapped = {
        name.replace("left", "R").replace("right", "left").replace("R", "right"): value
        for name, value in pose.items()
    }
    turned = {n: -v if "turn" in n or "tilt" in n else v for n, v in swapped.items()}
    one, other = bird(pose)[VERTICES], bird(turned)[VERTICES]
    swap = np.arange(15)
    swap[[*LEFT, *RIGHT]] = [*RIGHT, *LEFT]
    np.testing.assert_allclose(other[swap], one * MIRROR, atol=1e-12)


def test_species_differ_more_than_birds_of_a_species() -> None:
    rng = named_rng("test species")
    kinds = draw_species(rng, 40)
    still = np.zeros((40, len(POSE)))
    of_many = bird_surface(kinds, still)[:, VERTICES]
    of_one = bird_surface(draw_measures(rng, np.repeat(kinds[:1], 40, axis=0)), still)[:, VERTICES]
    assert of_many.std(axis=0).mean() > 2 * of_one.std(axis=0).mean()
    flat = (of_many - of_many.mean(axis=0)).reshape(40, -1)
    energy = np.linalg.svd(flat, compute_uv=False) ** 2
    assert np.searchsorted(np.cumsum(energy) / energy.sum(), 0.99) >= 4


def test_birds_perch_stand_and_fly() -> None:
    poses = draw_poses(named_rng("test poses"), 4000)
    spread, rise = poses[:, POSE.index("spread")], poses[:, POSE.index("rise")]
    flies = spread > 0.5
    assert flies.mean() == pytest.approx(0.14, abs=0.02)
    assert spread[~flies].max() < 0.05
    assert rise[flies].mean() < 10
    assert (rise[~flies] > 25).mean() == pytest.approx(0.65, abs=0.06)
    # Heads look about level, whatever the trunk does.
    look = rise + poses[:, POSE.index("neck_rise")] + poses[:, POSE.index("head_rise")]
    assert abs(look.mean()) < 1
    assert look.std() < 15


def test_more_species_change_none_of_the_first() -> None:
    few, many = (draw_species(named_rng("s"), count) for count in (3, 50))
    np.testing.assert_array_equal(few, many[:3])


def test_colours_are_those_of_the_regions() -> None:
    plumage = draw_plumage(named_rng("test plumage"))
    assert plumage.shape == (len(REGIONS), 3)
    assert ((plumage >= 0) & (plumage <= 1)).all()
    colours = vertex_colours(named_rng("test colours"), plumage)
    assert colours.shape == MEAN.shape
    for place, region in (
        (VERTICES[PARTS.index("beak")], "beak"),
        (VERTICES[PARTS.index("crown")], "crown"),
        (VERTICES[PARTS.index("throat")], "throat"),
        (VERTICES[PARTS.index("back")], "back"),
        (VERTICES[PARTS.index("belly")], "belly"),
        (VERTICES[PARTS.index("tail")], "tail"),
        (vertex("rwing", 5, 0), "primary"),
        (vertex("lfoot", 3, 0), "leg"),
    ):
        expected = plumage[REGIONS.index(region)]
        tone = colours[place].sum() / expected.sum()
        assert 0.6 < tone < 1.4
        np.testing.assert_allclose(colours[place], (tone * expected).clip(0, 1), atol=0.08)
    others = [draw_plumage(named_rng("test plumage", i)) for i in range(20)]
    assert np.std(others, axis=0).mean() > 0.1
