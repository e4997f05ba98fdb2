"""The cost of a depth hypothesis under a teacher's dictionary (KD, section 4).

The rotated dictionary B of a frame (eq. 6) is never formed: B times a code is the rotated shape
D times the code, and B_z^T times multipliers is D^T times the multipliers along the third column of
the rotation. A frame thus costs two products with the dictionary that all frames share.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from liftbench_plugins.learned.kd.annotation import AnnotatedFrames, annotate

_CHUNK = 1024
# A smaller pivot, relative to the largest entry of D D^T, is a rounding error.
_LEAST_PIVOT = 1e-12
# Relative difference of lengths, or cosine of the angle, of the columns of a camera.
_UNEVEN = 1e-3


@dataclass(frozen=True, eq=False)
class TeacherFrames(AnnotatedFrames):
    """Annotated frames in the teacher's unit of length, with what the teacher says about them.

    Attributes:
        code: (F, K), the teacher's codes.
        rotation: (F, 3, 3) R of eq. 5; row vectors of the dictionary times R are in the camera's
            frame.
    """

    code: Tensor
    rotation: Tensor


def teacher_frames(
    codes: Tensor, cameras: Tensor, points: Tensor, visible: Tensor, root: int
) -> TeacherFrames:
    """Return annotated frames with what a teacher says about them.

    Args:
        codes: (F, K).
        cameras: (F, 3, 2) scaled orthographic cameras, whose columns are orthogonal and equally
            long, for points in the unit of `points`.
        points: (F, P, 2), finite where visible.
        visible: (F, P).
        root: index of the point that depths are measured from.

    Raises:
        ValueError: a camera is not scaled orthographic.
    """
    rotation, scale = rotations_from_cameras(cameras)
    annotated = annotate(points, visible, scale, root)
    return TeacherFrames(**vars(annotated), code=codes, rotation=rotation)


class Distillation:
    """The codes that fit a depth hypothesis, and their cost.

    Depths count only relative to one point of the frame: under an orthographic camera the distance
    of the whole body is unknown, and for a centred dictionary B_z B_z^T would be singular. The
    depth of a hidden point is no constraint (eq. 8), and its reprojection has no residual.

    Args:
        dictionary: D (3P, K), point after point, x y z of each.
        frames: F frames.

    Raises:
        ValueError: depths do not determine a code, because the dictionary has too few atoms or
            B_z B_z^T is singular.
    """

    def __init__(self, dictionary: Tensor, frames: TeacherFrames) -> None:
        dictionary = dictionary.to(frames.code)
        self.dictionary, self.frames = dictionary, frames
        points = dictionary.shape[0] // 3
        self._gram = (dictionary @ dictionary.t()).view(points, 3, points, 3)
        self._largest = self._gram.abs().amax()
        self._require_right_inverse()

    def teacher_depth(self, frames: Tensor) -> Tensor:
        """Return the depths B_z phi (B, P) of the teacher's own codes."""
        taught = self.frames.select(frames)
        return self._rotated_shape(taught.code, taught)[..., 2]

    def project_code(self, depth: Tensor, frames: Tensor) -> Tensor:
        """Return the code (B, K) nearest to the teacher's among those of a depth (eqs. 12, 13).

        Args:
            depth: hypothesis z' (B, P) in the teacher's unit, with any offset of a frame.
            frames: (B,) indices of the frames.
        """
        return self._project(depth.to(self.dictionary), self.frames.select(frames))

    def loss(self, depth: Tensor, frames: Tensor, weight: float) -> Tensor:
        """Return the convex upper bound (B,) of the least cost of a depth (eq. 14).

        The unsquared L2 norm of the reprojection error about its mean, since the place in the image
        is free, and `weight` times the L1 norm of the code.

        Args:
            depth: hypothesis z' (B, P) in the teacher's unit, with any offset of a frame.
            frames: (B,) indices of the frames.
            weight: of the L1 norm.
        """
        taught = self.frames.select(frames)
        code = self._project(depth.to(self.dictionary), taught)
        residual = self._rotated_shape(code, taught)[..., :2] - taught.image
        shown = taught.visible[..., None]
        count = shown.sum(dim=1, keepdim=True).clamp_min(1)
        centre = (residual * shown).sum(dim=1, keepdim=True) / count
        error: Tensor = torch.linalg.vector_norm((residual - centre) * shown, dim=(1, 2))
        return error + weight * code.abs().sum(dim=1)

    def _rotated_shape(self, code: Tensor, taught: TeacherFrames) -> Tensor:
        """Return B phi (B, P, 3): the x and y of B_xy phi and the z of B_z phi (eqs. 6, 7)."""
        shape = (code @ self.dictionary.t()).view(len(code), -1, 3)
        return shape @ taught.rotation

    def _project(self, depth: Tensor, taught: TeacherFrames) -> Tensor:
        change = taught.relative(depth - self._rotated_shape(taught.code, taught)[..., 2])
        factor, _ = torch.linalg.cholesky_ex(self._system(taught))
        multiplier = torch.cholesky_solve(change[..., None], factor)[..., 0]
        # The transpose of `relative`: the reference point takes the negative sum of the others.
        sums = multiplier.sum(dim=1, keepdim=True)
        multiplier = multiplier.scatter_add(1, taught.reference[:, None], -sums)
        along = multiplier[..., None] * taught.rotation[:, None, :, 2]
        return taught.code + along.flatten(1) @ self.dictionary

    def _system(self, taught: TeacherFrames) -> Tensor:
        """Return B_z B_z^T (B, P, P) of relative depths, with diagonal rows for all other points.

        So all frames of a batch have systems of one size, and the solution is 0 in those rows.
        """
        along = taught.rotation[..., 2]
        gram = torch.einsum("bi,piqj,bj->bpq", along, self._gram, along)
        place = taught.reference[:, None, None].expand(-1, gram.shape[1], 1)
        gram = gram - gram.gather(2, place)
        gram = gram - gram.gather(1, place.transpose(1, 2))
        constrained = taught.constrained
        both = constrained[:, :, None] & constrained[:, None]
        return torch.where(both, gram, 0) + torch.diag_embed(self._largest * ~constrained)

    def _require_right_inverse(self) -> None:
        atoms = self.dictionary.shape[1]
        counts = self.frames.constrained.sum(dim=1)
        size = f"B_z has {int(counts.max())} rows of depths and {atoms} atoms"
        if atoms < counts.max():
            raise ValueError(f"{size}; distillation needs a teacher with at least as many atoms")
        for frames in torch.split(torch.arange(len(counts), device=counts.device), _CHUNK):
            factor, failed = torch.linalg.cholesky_ex(self._system(self.frames.select(frames)))
            pivots = factor.diagonal(dim1=1, dim2=2).square()
            bad = (failed > 0) | (pivots < _LEAST_PIVOT * self._largest).any(dim=1)
            if bad.any():
                raise ValueError(
                    f"{size}, but B_z B_z^T is singular in frame {int(frames[bad][0])}; "
                    "distillation needs a teacher whose atoms differ in more directions"
                )


def rotations_from_cameras(cameras: Tensor) -> tuple[Tensor, Tensor]:
    """Return rotations R (F, 3, 3) and scales (F,) of scaled orthographic cameras (eq. 5).

    Args:
        cameras: (F, 3, 2), whose columns are orthogonal and equally long.

    Raises:
        ValueError: they are not.
    """
    lengths = torch.linalg.vector_norm(cameras, dim=1)
    scale = lengths.mean(dim=1)
    one, two = (cameras / scale[:, None, None]).unbind(dim=2)
    uneven = (lengths[:, 0] / lengths[:, 1] - 1).abs() + (one * two).sum(dim=1).abs()
    bad = ~(uneven < _UNEVEN)
    if bad.any():
        raise ValueError(
            f"the teacher's camera of frame {int(bad.nonzero()[0])} is no scaled orthographic one: "
            "expected two orthogonal columns of one length"
        )
    return torch.stack([one, two, torch.linalg.cross(one, two)], dim=2), scale
