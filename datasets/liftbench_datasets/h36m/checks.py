"""Findings of `liftbench data check` about the poses of Human3.6M."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from liftbench.arrays import Arrays
from liftbench.cameras import project
from liftbench.plugin.specs import Finding
from liftbench.types import Floats
from liftbench_datasets.h36m.cameras import CAMERAS, LENSES, PLACES
from liftbench_datasets.h36m.release import take_frames
from liftbench_datasets.h36m.skeleton import SKELETON, SPLITS, SUBJECTS

# Frames of the .cdf files, and of the .npz, which lacks the 1825 of S11's `Directions`.
OFFICIAL_FRAMES = {"train": (389_938,), "test": (137_661, 135_836)}
_THIGHS = (("RHip", "RKnee"), ("LHip", "LKnee"))
_THIGH_RANGE = (300.0, 600.0)
_CLOSE = 50.0  # pixels; detections of wrong points or wrong frames lie further away


def check_poses(poses: Arrays) -> list[Finding]:
    """Return how complete the poses are, and whether sizes and depths are plausible."""
    splits = [_check_split(poses, split) for split in SPLITS]
    return [*splits, _check_size(poses), _check_depth(poses)]


def check_detections(poses: Arrays, pixels: Floats) -> Finding:
    """Return how far the detected points lie from the projected ones."""
    apart: list[Floats] = []
    lacking: list[str] = []
    for take, lens, view, found in _views(poses, pixels):
        if np.isfinite(found).all():
            true = LENSES[lens].pixels(project(view, "perspective"))
            apart.append(np.linalg.norm(found - true, axis=2).mean(axis=1))
        elif take not in lacking:
            lacking.append(take)
    middle = float(np.median(np.concatenate(apart))) if apart else np.nan
    lacks = f"; no detections of {', '.join(lacking)}" if lacking else ""
    detail = f"{middle:.1f} pixels from the projected points, the median over frames{lacks}"
    return Finding("detections", middle < _CLOSE, detail)


def _views(poses: Arrays, pixels: Floats) -> Iterator[tuple[str, str, Floats, Floats]]:
    """Yield take, camera, points in the camera's frame and detected pixels of every 50th frame."""
    for take, frames in take_frames(poses).items():
        some = slice(frames.start, frames.stop, 50)
        for camera, found in zip(CAMERAS, pixels, strict=True):
            view = PLACES[take.subject][camera].views(poses["positions"][some])
            yield str(take), camera, view, found[some]


def _check_split(poses: Arrays, split: str) -> Finding:
    chosen = np.isin(poses["subject"], SUBJECTS[split])
    frames, official = int(poses["frames"][chosen].sum()), OFFICIAL_FRAMES[split]
    absent = [subject for subject in SUBJECTS[split] if subject not in poses["subject"]]
    partial = f" of the official {official[0]}" if frames not in official else ""
    lacks = f"; no {', '.join(absent)}" if absent else ""
    detail = f"{int(chosen.sum())} takes, {frames}{partial} frames{lacks}"
    return Finding(split, bool(chosen.any()), detail)


def _check_size(poses: Arrays) -> Finding:
    """Return whether thighs have a human length, which they lack in a wrong unit."""
    ends = np.array([[SKELETON.points.index(name) for name in thigh] for thigh in _THIGHS])
    thighs = poses["positions"][:, ends]
    lengths = np.linalg.norm(thighs[:, :, 1] - thighs[:, :, 0], axis=2)
    low, high = _THIGH_RANGE
    detail = f"thighs of {lengths.min():.0f} to {lengths.max():.0f} mm"
    return Finding("size", bool(low <= lengths.min() and lengths.max() <= high), detail)


def _check_depth(poses: Arrays) -> Finding:
    nearest = min(
        PLACES[take.subject][camera].views(poses["positions"][frames])[..., 2].min()
        for take, frames in take_frames(poses).items()
        for camera in CAMERAS
    )
    detail = f"the nearest point is {nearest / 1000:.2f} m before a camera"
    return Finding("depth", bool(nearest > 0), detail)
