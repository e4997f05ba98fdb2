"""Motions as one camera sees them."""

from __future__ import annotations

from dataclasses import dataclass

from liftbench.types import Floats
from liftbench_datasets.h36m.cameras import Place
from liftbench_datasets.h36m.skeleton import sequence_id
from liftbench_datasets.h36m.synthetic.performances import Performance


@dataclass(frozen=True, eq=False)
class Take:
    """The frames of a sequence: a motion of a subject before one camera.

    Attributes:
        subject: name of the subject.
        action: name of the action.
        camera: number of the camera.
        place: where the camera stands.
        performance: the motion in the room, of at least as many frames.
        frames: the number of frames.
    """

    subject: str
    action: str
    camera: int
    place: Place
    performance: Performance
    frames: int

    @property
    def sequence(self) -> int:
        """The number of the sequence."""
        return sequence_id(self.subject, self.action, 0, self.camera)

    @property
    def points_3d(self) -> Floats:
        """The points of Human3.6M in the camera's frame, (F, 17, 3) in mm."""
        return self.place.views(self.performance.points()[: self.frames])

    @property
    def joints_3d(self) -> Floats:
        """The joints of `people.body` in the camera's frame, (F, 31, 3) in mm."""
        return self.place.views(self.performance.joints()[: self.frames])
