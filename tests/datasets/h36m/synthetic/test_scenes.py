"""What pictures of people show: places, occlusion order, shadows, colours of both sides."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from liftbench.seeds import named_rng
from liftbench.types import Floats
from liftbench_datasets.h36m.cameras import CAMERAS, LENSES, Place
from liftbench_datasets.h36m.synthetic.adapter import SyntheticH36m
from liftbench_datasets.h36m.synthetic.crops import Crop
from liftbench_datasets.h36m.synthetic.rooms import draw_room
from liftbench_datasets.h36m.synthetic.scenes import Scene, draw_scene
from liftbench_datasets.people.body import BODY, COLUMN, DOFS
from liftbench_datasets.people.builds import Build, person_skin
from liftbench_datasets.people.clothing import Cloth, Looks, draw_looks
from liftbench_datasets.people.lighting import Lamps
from liftbench_datasets.people.motion import joint_rotations

SIZE = 96
HIPS = 0.99  # metres above the floor
MEAN = Build(1, 1, 1, 1, 1, 1, 1)
WHITE, BLACK = np.full(3, 0.95), np.full(3, 0.02)
NO_DIRECTION = Lamps(
    np.array([[0.0, 1.0, 0.0]]), np.zeros((1, 3)), np.full(3, 0.9), np.full(3, 0.9)
)


def plain(skin: Floats, cloth: Floats) -> Looks:
    """Return looks with one colour of all cloth and another of skin and hair."""
    dress = Cloth("plain", np.array([cloth, cloth]), 0.1, (0.0, 0.0))
    return Looks(skin, skin, cloth, cloth, dress, dress, 0.2, 1.0, 0.0, 0.0, 0.0)


def rotations(**angles: float) -> Floats:
    pose = np.zeros((1, len(DOFS)))
    for name, angle in angles.items():
        pose[0, COLUMN[name.replace("_", ".")]] = angle
    return joint_rotations(pose, np.zeros(1))


@cache
def places() -> list[Place]:
    """Return cameras in front of the person, behind it, and of the dataset."""
    turn, back = np.diag([-1.0, -1.0, 1.0]), np.diag([1.0, -1.0, -1.0])
    ahead = Place(back, np.array([0.0, 1000.0, 5000.0]))
    behind = Place(turn, np.array([0.0, 1000.0, -5000.0]))
    return [ahead, behind, *SyntheticH36m().places()]


def scene(turned: Floats, looks: Looks, place: int = 0, lens: int = 0) -> Scene:
    skin = person_skin(BODY, MEAN, looks.sleeve, looks.leg, turned)[0] + [0, HIPS, 0]
    crop = Crop(np.array([250.0, 250.0]), 530.0, SIZE)
    room = replace(draw_room(named_rng("room"), NO_DIRECTION), lamps=NO_DIRECTION)
    return Scene(skin, looks, room, places()[place], LENSES[CAMERAS[lens]], crop)


def draw(drawn: Scene) -> NDArray[np.int64]:
    return draw_scene(named_rng("noise"), drawn).astype(np.int64)


def position(drawn: Scene, world: Floats) -> Floats:
    """Return where places (..., 3) in metres lie in the picture, by the lens of the release."""
    seen = drawn.place.views(1000 * world)
    return drawn.crop.place(drawn.lens.pixels(seen[..., :2] / seen[..., 2:]))


def level(drawn: Scene, world: Floats) -> float:
    """Return the brightness of the pixel that shows a place."""
    column, row = np.floor(position(drawn, world)).astype(int)
    return float(draw(drawn)[row, column].mean())


@pytest.mark.parametrize("place", range(6))
def test_the_person_is_where_the_lens_puts_it(place: int) -> None:
    """Pixels that change with the clothes are those of the projected skin, within a pixel."""
    light, dark = (
        scene(rotations(lhumerus_bend=60), plain(tone, tone), place, place % 4)
        for tone in (WHITE, BLACK)
    )
    rows, columns = np.nonzero(np.abs(draw(light) - draw(dark)).mean(axis=2) > 60)
    places = position(light, light.skin)
    np.testing.assert_allclose([columns.min(), rows.min()], places.min(axis=0), atol=1.5)
    np.testing.assert_allclose([columns.max() + 1, rows.max() + 1], places.max(axis=0), atol=1.5)


def test_the_nearer_limb_hides_the_trunk() -> None:
    """A bare arm that points ahead hides the shoulder from the front; from behind it is hidden."""
    turned = rotations(lhumerus_flex=90, rhumerus_flex=90)
    wrist = np.array([0.18, HIPS + 0.42, 0.50])
    shoulder = np.array([0.18, HIPS + 0.43, -0.02])
    looks = plain(WHITE, BLACK)
    assert level(scene(turned, looks, place=0), wrist) > 150
    assert level(scene(turned, looks, place=1), shoulder) < 110
    hanging = scene(rotations(), looks, place=0)
    assert level(hanging, shoulder + np.array([0, 0, 0.06])) < 110


@pytest.mark.parametrize("around", range(4))
def test_a_lamp_casts_the_shadow_of_the_head_on_the_floor(around: int) -> None:
    angle = around * np.pi / 2 + np.pi / 4
    towards = np.array([np.sin(angle), 1.6, np.cos(angle)]) / np.sqrt(1 + 1.6**2)
    lamps = Lamps(towards[None], np.full((1, 3), 0.7), np.full(3, 0.2), np.full(3, 0.2))
    drawn = scene(rotations(), plain(WHITE, WHITE))
    drawn = replace(drawn, crop=Crop(np.array([0.0, 0.0]), 1000.0, SIZE))
    lit = replace(drawn, room=replace(drawn.room, lamps=lamps))
    other = replace(lamps, towards=(towards * [-1, 1, -1])[None])
    away = replace(drawn, room=replace(drawn.room, lamps=other))
    head = np.array([0.0, HIPS + 0.68, 0.02])
    floor = head - head[1] / towards[1] * towards
    assert level(lit, floor) < 0.75 * level(away, floor)


def test_light_from_the_side_tells_the_sides_of_a_limb_apart() -> None:
    towards = np.array([0.9, 0.3, 0.3]) / np.linalg.norm([0.9, 0.3, 0.3])
    lamps = Lamps(towards[None], np.full((1, 3), 0.7), np.full(3, 0.1), np.full(3, 0.1))
    drawn = scene(rotations(), plain(WHITE, WHITE))
    drawn = replace(drawn, room=replace(drawn.room, lamps=lamps))
    knee, beside = np.array([0.09, HIPS - 0.5, 0.05]), np.array([0.03, 0, 0])
    assert level(drawn, knee + beside) > 1.2 * level(drawn, knee - beside)


def test_a_picture_depends_on_scene_and_noise_alone() -> None:
    drawn = scene(rotations(), draw_looks(named_rng("looks")))
    np.testing.assert_array_equal(draw(drawn), draw(drawn))
    noise = draw(drawn) - draw_scene(named_rng("other noise"), drawn)
    assert 1 < noise.std() < 8


def test_left_and_right_limbs_have_the_same_colours() -> None:
    """In the mean over people, sides do not differ more than chance has it."""
    wrists = np.array([[0.18, HIPS - 0.05, 0.0], [-0.18, HIPS - 0.05, 0.0]])
    knees = np.array([[0.09, HIPS - 0.45, 0.05], [-0.09, HIPS - 0.45, 0.05]])
    sides = []
    for person in range(24):
        drawn = scene(rotations(), draw_looks(named_rng("looks", person)), place=person % 2)
        column, row = np.floor(position(drawn, np.concatenate([wrists, knees]))).astype(int).T
        picture = draw_scene(named_rng("noise", person), drawn).astype(np.int64)
        sides.append(picture[row, column].reshape(2, 2, 3))
    left, right = np.moveaxis(np.array(sides), 2, 0).reshape(2, -1, 3)
    apart = left - right
    error = apart.std(axis=0) / np.sqrt(len(apart))
    assert (np.abs(apart.mean(axis=0)) < 3 * error + 1).all()
    assert np.abs(apart).mean() < 0.5 * left.std()
