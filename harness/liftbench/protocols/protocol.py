"""Protocols: everything between a prediction and a number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from liftbench.protocols.alignment import (
    norms,
    orthogonal_alignment,
    weighted_centred,
    weighted_mean,
)
from liftbench.protocols.metrics import Metric
from liftbench.types import Floats, GroundTruth, Reconstruction, Skeleton

# A prediction this much smaller than the truth has all its points in one place.
_COLLAPSED = 1e-9
_BLOCK = 512


class DegeneratePredictionError(ValueError):
    """The points of a predicted frame coincide, so that no scale or rotation can be found."""


@dataclass(frozen=True)
class Protocol:
    """A named way from a prediction to a number; every step stands in its fields.

    The steps run in this order: axes, centre, unit, depth flip (the better of both), align, scale,
    metric, mean.

    Attributes:
        name: name in suites and tables.
        metric: name of the frame error.
        description: one sentence for captions.
        version: raise it when numbers change.
        axes: points are compared along the camera's axes or, where the truth has its rotations,
            each along those of its own `body`; a prediction without rotations then counts as seen
            by a camera that does not turn.
        spread_unit: lengths are divided by the mean standard deviation of the truth's rows.
        centre: what goes to the origin: the `mean` of the points that count, the `root` point,
            or the mean `depth` alone.
        depth_flip: a frame may be mirrored in depth if that lowers its error.
        align: orthogonal alignment to the truth; `orthogonal` allows a reflection.
        align_over: one alignment for each frame or for each whole sequence.
        scale: match the norms, scale by least squares, or match the mean length of the skeleton's
            edges (`bones`), a frame at a time.
        mean: over all frames, or over the means of the truth's `groups`.
    """

    name: str
    metric: str
    description: str
    version: int = 1
    axes: Literal["camera", "body"] = "camera"
    spread_unit: bool = False
    centre: Literal["none", "mean", "root", "depth"] = "mean"
    depth_flip: bool = False
    align: Literal["none", "rotation", "orthogonal"] = "none"
    align_over: Literal["frame", "sequence"] = "frame"
    scale: Literal["none", "norm", "least_squares", "bones"] = "none"
    mean: Literal["frames", "groups"] = "frames"

    @property
    def identity(self) -> str:
        """Name and version, which every stored number carries."""
        return f"{self.name}@{self.version}"


def frame_errors(
    protocol: Protocol,
    metric: Metric,
    prediction: Reconstruction,
    truth: GroundTruth,
    skeleton: Skeleton,
) -> Floats:
    """Return the error (F,) of each frame under a protocol.

    Args:
        protocol: the steps.
        metric: the frame error that `protocol.metric` names.
        prediction: predicted points in the camera's frame, and rotations if it has any.
        truth: true points in the camera's frame.
        skeleton: has the root point and the edges that some protocols need.

    Raises:
        ValueError: shapes differ, a true frame has no point that counts or no extent, or the
            skeleton has no edges where their lengths are asked for.
        DegeneratePredictionError: all points of a predicted frame coincide.
    """
    weights = _checked_weights(protocol, prediction, truth, skeleton)
    errors = np.empty(len(weights))
    for part in _parts(protocol, truth):
        matched = _matched_part(protocol, metric, prediction, truth, weights, skeleton, part)
        errors[part] = matched.errors
    return errors


@dataclass(frozen=True, eq=False)
class Matched:
    """Frames as the metric of a protocol compares them.

    Attributes:
        predicted: (F, P, 3) after every step of the protocol.
        truth: (F, P, 3) after those that concern it, centring and the unit.
        errors: (F,) of the one from the other.
    """

    predicted: Floats
    truth: Floats
    errors: Floats


def matched_frames(
    protocol: Protocol,
    metric: Metric,
    prediction: Reconstruction,
    truth: GroundTruth,
    skeleton: Skeleton,
    frames: NDArray[np.intp],
) -> Matched:
    """Return the frames of these indices, in their order, as the metric compares them.

    The other arguments and the errors raised are those of `frame_errors`. All frames are given,
    for an alignment may be of whole sequences.
    """
    weights = _checked_weights(protocol, prediction, truth, skeleton)
    predicted, true = np.empty((2, len(frames), *prediction.points_3d.shape[1:]))
    errors = np.empty(len(frames))
    for part in _parts(protocol, truth):
        members = np.arange(len(weights))[part]
        asked = np.isin(frames, members)
        if asked.any():
            matched = _matched_part(protocol, metric, prediction, truth, weights, skeleton, part)
            rows = np.searchsorted(members, frames[asked])
            predicted[asked], true[asked] = matched.predicted[rows], matched.truth[rows]
            errors[asked] = matched.errors[rows]
    return Matched(predicted, true, errors)


def _checked_weights(
    protocol: Protocol, prediction: Reconstruction, truth: GroundTruth, skeleton: Skeleton
) -> Floats:
    """Return weights (F, P), 1 for a point that counts; raise where nothing can be compared."""
    predicted, true = prediction.points_3d, truth.points_3d
    if predicted.shape != true.shape:
        raise ValueError(f"expected predicted points {true.shape}, got {predicted.shape}")
    weights = np.ones(true.shape[:2]) if truth.mask is None else truth.mask.astype(np.float64)
    if not weights.any(axis=1).all():
        raise ValueError(f"frame {int((~weights.any(axis=1)).argmax())} has no point that counts")
    if protocol.scale == "bones" and not skeleton.edges:
        raise ValueError(f"{protocol.name} needs a skeleton with edges")
    return weights


def _along_axes(
    protocol: Protocol,
    prediction: Reconstruction,
    truth: GroundTruth,
    part: slice | NDArray[np.intp],
) -> tuple[Floats, Floats]:
    """Return predicted and true points of a part along the axes of the protocol."""
    predicted, true = prediction.points_3d[part], truth.points_3d[part]
    if protocol.axes == "camera" or truth.rotation is None:
        return predicted, true
    if prediction.rotation is not None:
        predicted = predicted @ prediction.rotation[part]
    return predicted, true @ truth.rotation[part]


def _parts(protocol: Protocol, truth: GroundTruth) -> Iterator[slice | NDArray[np.intp]]:
    """Yield the frames that are taken together: sequences, or blocks that fit the CPU's cache."""
    if protocol.align_over == "sequence":
        for sequence in np.unique(truth.sequence):
            yield np.flatnonzero(truth.sequence == sequence)
        return
    for start in range(0, len(truth.points_3d), _BLOCK):
        yield slice(start, start + _BLOCK)


def _matched_part(
    protocol: Protocol,
    metric: Metric,
    prediction: Reconstruction,
    truth: GroundTruth,
    weights: Floats,
    skeleton: Skeleton,
    part: slice | NDArray[np.intp],
) -> Matched:
    """Return the frames of a part as the metric compares them."""
    weights = weights[part]
    predicted, true = _along_axes(protocol, prediction, truth, part)
    at_mean = weighted_centred(predicted, weights), weighted_centred(true, weights)
    _refuse_collapsed(*at_mean, weights)
    if protocol.centre == "mean":
        predicted, true = at_mean
    else:
        predicted, true = _centred(protocol, predicted, true, weights, skeleton.root)
    if protocol.spread_unit:
        sigma = _spread(true, weights)
        predicted, true = predicted / sigma, true / sigma

    def matched(candidate: Floats) -> Matched:
        turned = _aligned(protocol, candidate, true, weights)
        brought = _scaled(protocol, turned, true, weights, skeleton)
        return Matched(brought, true, metric.errors(brought, true, weights))

    if protocol.depth_flip:
        return _better(matched(predicted), matched(predicted * (1.0, 1.0, -1.0)))
    return matched(predicted)


def _better(first: Matched, second: Matched) -> Matched:
    """Return of each frame the one with the lower error."""
    other = second.errors < first.errors
    return Matched(
        np.where(other[:, None, None], second.predicted, first.predicted),
        first.truth,
        np.where(other, second.errors, first.errors),
    )


def _centred(
    protocol: Protocol, predicted: Floats, truth: Floats, weights: Floats, root: int
) -> tuple[Floats, Floats]:
    """Return prediction and truth about the origin of a protocol that is not their mean."""
    if protocol.centre == "depth":
        depth = np.array([0.0, 0.0, 1.0])
        return (
            predicted - weighted_mean(predicted, weights) * depth,
            truth - weighted_mean(truth, weights) * depth,
        )
    if protocol.centre == "root":
        return predicted - predicted[:, root, None], truth - truth[:, root, None]
    return predicted, truth


def _spread(points: Floats, weights: Floats) -> float:
    """Return the mean over frames and coordinates of the standard deviation (ddof 1)."""
    squares = weighted_centred(points, weights) ** 2 * weights[..., None]
    variance = squares.sum(axis=1) / (weights.sum(axis=1)[:, None] - 1)
    return float(np.sqrt(variance).mean())


def _refuse_collapsed(predicted: Floats, truth: Floats, weights: Floats) -> None:
    """Raise where all points that count coincide in a centred frame."""
    extent = norms(truth, weights)
    if not extent.all():
        raise ValueError(
            f"all true points that count coincide in {int((extent == 0).sum())} frames"
        )
    collapsed = norms(predicted, weights) <= _COLLAPSED * extent
    if collapsed.any():
        raise DegeneratePredictionError(
            f"all points coincide in {int(collapsed.sum())} of {len(collapsed)} predicted frames"
        )


def _aligned(protocol: Protocol, predicted: Floats, truth: Floats, weights: Floats) -> Floats:
    """Return the prediction turned to the truth."""
    if protocol.align == "none":
        return predicted
    shape, reflection = predicted.shape, protocol.align == "orthogonal"
    if protocol.align_over == "frame":
        turn = orthogonal_alignment(predicted, truth, weights, reflection=reflection)
    else:
        rows = (1, -1, 3)
        turn = orthogonal_alignment(
            predicted.reshape(rows),
            truth.reshape(rows),
            weights.reshape(1, -1),
            reflection=reflection,
        )
    return (predicted @ turn).reshape(shape)


def _scaled(
    protocol: Protocol, predicted: Floats, truth: Floats, weights: Floats, skeleton: Skeleton
) -> Floats:
    """Return the prediction as large as the truth."""
    if protocol.scale == "none":
        return predicted
    if protocol.scale == "norm":
        scale = norms(truth, weights) / norms(predicted, weights)
    elif protocol.scale == "bones":
        scale = _bone_length(truth, weights, skeleton) / _bone_length(predicted, weights, skeleton)
    else:
        overlap = (np.einsum("fpc,fpc->fp", predicted, truth) * weights).sum(axis=1)
        scale = overlap / norms(predicted, weights) ** 2
    scaled: Floats = predicted * scale[:, None, None]
    return scaled


def _bone_length(points: Floats, weights: Floats, skeleton: Skeleton) -> Floats:
    """Return the mean length (F,) of the edges whose ends both count."""
    first, second = np.array(skeleton.edges).T
    counts = weights[:, first] * weights[:, second]
    if not counts.any(axis=1).all():
        raise ValueError(f"frame {int((~counts.any(axis=1)).argmax())} has no edge that counts")
    lengths = np.linalg.norm(points[:, first] - points[:, second], axis=2)
    total: Floats = (lengths * counts).sum(axis=1) / counts.sum(axis=1)
    return total


BUILTIN_PROTOCOLS = (
    Protocol(
        "e3d",
        "relative_norm",
        "per frame: centred, scaled to the truth's Frobenius norm, best orthogonal alignment "
        "(reflection allowed), ‖S_gt - S‖_F / ‖S_gt‖_F; mean over frames (PR-RRN, eq. 19)",
        align="orthogonal",
        scale="norm",
    ),
    Protocol(
        "e3d_akhter",
        "mean_distance",
        "each along its body's axes where the truth has its cameras, lengths over the truth's mean "
        "row spread (ddof 1), centred, one orthogonal alignment for each sequence, mean point "
        "distance (Akhter et al.; Dai et al.)",
        version=2,
        axes="body",
        spread_unit=True,
        align="orthogonal",
        align_over="sequence",
    ),
    Protocol(
        "frobenius_flip",
        "relative_norm",
        "centred, no scale, no alignment, flipped in depth where that is better, "
        "‖S_gt - S‖_F / ‖S_gt‖_F; mean over frames (Lee, Cho, Oh on the classical sequences)",
        depth_flip=True,
    ),
    Protocol("mpjpe", "mean_distance", "centred, no scale, no alignment, mean point distance"),
    Protocol(
        "mpjpe_scale",
        "mean_distance",
        "centred, scaled to the truth's Frobenius norm, mean point distance",
        scale="norm",
    ),
    Protocol(
        "mpjpe_scale_flip",
        "mean_distance",
        "centred, scaled to the truth's Frobenius norm, flipped in depth where that is better, "
        "mean point distance (Deep NRSfM++, section 5)",
        scale="norm",
        depth_flip=True,
    ),
    Protocol(
        "mpjpe_flip",
        "mean_distance",
        "centred, flipped in depth where that is better, mean point distance",
        depth_flip=True,
    ),
    Protocol(
        "pa_mpjpe",
        "mean_distance",
        "best similarity without reflection a frame, mean point distance",
        align="rotation",
        scale="least_squares",
    ),
    Protocol("stress", "stress", "mean difference of pairwise distances, no scale", centre="none"),
    Protocol(
        "depth_error",
        "mean_depth_distance",
        "root points aligned, mean distance along z",
        centre="root",
    ),
    Protocol(
        "c3dpo_up3d",
        "mean_distance",
        "mean depth removed, flipped in depth where that is better, no scale, no alignment, mean "
        "point distance; mean over frames (C3DPO on UP-3D; Deep NRSfM++, Table 3a)",
        centre="depth",
        depth_flip=True,
    ),
    Protocol(
        "c3dpo_pascal3d",
        "mean_distance",
        "mean depth of the category's points removed, flipped in depth where that is better, no "
        "scale, no alignment, mean point distance; mean over categories (C3DPO on PASCAL3D+; Deep "
        "NRSfM++, Table 3b-c)",
        centre="depth",
        depth_flip=True,
        mean="groups",
    ),
    Protocol(
        "c3dpo_h36m",
        "mean_distance",
        "root points aligned, flipped in depth where that is better, no scale, no alignment, mean "
        "point distance; mean over actions (C3DPO on H3.6M)",
        centre="root",
        depth_flip=True,
        mean="groups",
    ),
    Protocol(
        "stress_groups",
        "stress",
        "mean difference of pairwise distances, no scale; mean over categories or actions (C3DPO "
        "on PASCAL3D+ and H3.6M)",
        centre="none",
        mean="groups",
    ),
    Protocol(
        "kd_mpjpe",
        "mean_distance",
        "root points aligned, scaled to the truth's mean bone length, mean point distance (KD, "
        "sections 5.1, 5.2)",
        centre="root",
        scale="bones",
    ),
    Protocol(
        "kd_pa_mpjpe",
        "mean_distance",
        "scaled to the truth's mean bone length, best rotation a frame, mean point distance (KD, "
        "sections 5.1, 5.2)",
        align="rotation",
        scale="bones",
    ),
    Protocol(
        "kd_depth_error",
        "mean_depth_distance",
        "root points aligned, scaled to the truth's mean bone length, mean distance along z (KD, "
        "section 5.2)",
        centre="root",
        scale="bones",
    ),
    Protocol(
        "pck",
        "correct_keypoints",
        "percentage of visible key points reprojected within a tenth of the box's longer edge, "
        "those of lifters about their observed mean; mean over frames (CMR; To The Point, Table 1)",
        centre="none",
    ),
    Protocol(
        "miou",
        "mask_overlap",
        "intersection over union of the reconstruction's mask and the true one; mean over frames "
        "(CMR; To The Point, Table 1)",
        centre="none",
    ),
    Protocol(
        "iou3d",
        "volume_overlap",
        "intersection over union of canonical volumes on a grid of 32 voxels an edge; mean over "
        "frames (To The Point, Table 4)",
        centre="none",
    ),
)
