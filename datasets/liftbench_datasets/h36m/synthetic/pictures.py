"""The pictures of the stand-in for Human3.6M, which are drawn when they are first used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from liftbench.arrays import cache_folder
from liftbench.images import Images
from liftbench.seeds import named_rng
from liftbench.types import Dataset, Floats
from liftbench_datasets.adapting.drawn_files import write_drawing
from liftbench_datasets.adapting.image_maps import best_origin, best_pixel
from liftbench_datasets.h36m.cameras import CAMERAS, LENSES
from liftbench_datasets.h36m.synthetic.crops import Crop, Crops, draw_crops
from liftbench_datasets.h36m.synthetic.performances import KEY, subject_body
from liftbench_datasets.h36m.synthetic.rooms import Room, draw_room
from liftbench_datasets.h36m.synthetic.scenes import Scene, draw_scene
from liftbench_datasets.h36m.synthetic.takes import Take
from liftbench_datasets.people.builds import Build, draw_build, person_skin
from liftbench_datasets.people.clothing import Looks, draw_looks
from liftbench_datasets.people.lighting import draw_lamps
from liftbench_datasets.people.motion import joint_rotations

VERSION = 2  # raise it when the pictures change
_QUALITY = 85  # of the JPEG files


@dataclass(frozen=True, eq=False)
class Painter:
    """Draws the pictures of frames, each a pure function of the seed, the take and the frame.

    Attributes:
        seed: the seed of all random draws.
        takes: the takes.
        crops: the squares of the frames of each take.
        files: the files of all frames.
    """

    seed: int
    takes: Sequence[Take]
    crops: Sequence[Crops]
    files: Sequence[str]

    def __call__(self, frame: int) -> None:
        """Write the picture of a frame; an interrupted write leaves no file."""
        starts = np.cumsum([0, *(take.frames for take in self.takes)])
        number = int(np.searchsorted(starts, frame, side="right")) - 1
        within = frame - int(starts[number])
        take = self.takes[number]
        rng = named_rng(KEY, "picture", self.seed, take.sequence, within)
        picture = draw_scene(rng, take_scene(self.seed, take, within, self.crops[number][within]))
        write_drawing(self.files[frame], picture, quality=_QUALITY)


def attach_pictures(
    data: Dataset, takes: Sequence[Take], seed: int, size: int, wander: float
) -> Dataset:
    """Return the data with pictures of `size` pixels, and with the map from points to them.

    Args:
        data: the frames of all takes.
        takes: the takes, in the order of the frames.
        seed: the seed of all random draws.
        size: edge of the pictures.
        wander: of the limbs, by which takes of one name differ.
    """
    crops = [_crops(take, seed, size) for take in takes]
    positions = np.concatenate(
        [
            squares.place(_image_pixels(take, take.points_3d))
            for take, squares in zip(takes, crops, strict=True)
        ]
    )
    points = data.observations.points_2d
    pixel = best_pixel(points, positions)
    name = f"{KEY}-{VERSION}-{seed}-{size}" + (f"-{wander:g}" if wander else "")
    folder = cache_folder() / "pictures" / name
    files = tuple(_file(folder, take, i) for take in takes for i in range(take.frames))
    seen = replace(
        data.observations,
        images=Images(files, draw=Painter(seed, takes, crops, files)),
        pixel=pixel,
        origin=best_origin(points, positions, pixel),
    )
    return replace(data, observations=seen)


def take_scene(seed: int, take: Take, frame: int, crop: Crop) -> Scene:
    """Return what the picture of a frame of a take shows."""
    build, looks, room = subject_appearance(seed, take.subject)
    motion = take.performance.motion
    rotations = joint_rotations(motion.angles[[frame]], motion.heading[[frame]])
    skin = person_skin(subject_body(seed, take.subject), build, looks.sleeve, looks.leg, rotations)
    root = take.performance.joints()[frame, 0] / 1000
    return Scene(skin[0] + root, looks, room, take.place, LENSES[CAMERAS[take.camera]], crop)


@lru_cache(maxsize=64)
def subject_appearance(seed: int, subject: str) -> tuple[Build, Looks, Room]:
    """Return build, looks and room of a subject; as in a studio, the lamps are about the same."""
    build, looks, room = (
        named_rng(KEY, part, seed, subject) for part in ("build", "looks", "room")
    )
    lamps = draw_lamps(named_rng(KEY, "lamps", seed))
    return draw_build(build), draw_looks(looks), draw_room(room, lamps)


def _crops(take: Take, seed: int, size: int) -> Crops:
    rng = named_rng(KEY, "crops", seed, take.sequence)
    return draw_crops(rng, _image_pixels(take, take.joints_3d), size)


def _image_pixels(take: Take, seen: Floats) -> Floats:
    """Return the pixels (..., 2) of the camera's image in which places (..., 3) are seen."""
    return LENSES[CAMERAS[take.camera]].pixels(seen[..., :2] / seen[..., 2:])


def _file(folder: Path, take: Take, frame: int) -> str:
    return str(folder / f"{take.sequence:07}-{frame:05}.jpeg")
