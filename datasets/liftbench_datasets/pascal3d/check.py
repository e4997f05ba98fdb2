"""Findings about a folder of PASCAL3D+ files: their counts and what is missing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from liftbench.errors import UserError
from liftbench.plugin.specs import Finding
from liftbench.types import Bools, Floats
from liftbench_datasets.pascal3d.cad import cad_models, keypoint_mask
from liftbench_datasets.pascal3d.categories import CATEGORIES, POINTS
from liftbench_datasets.pascal3d.objects import load_objects
from liftbench_datasets.pascal3d.release import PARTS, SOURCES, Part, Release, Source
from liftbench_datasets.pascal3d.surfaces import cad_meshes
from liftbench_datasets.pascal3d.views import viewable_mask


def check_release(release: Release) -> list[Finding]:
    """Return the counts of all files and which are missing or damaged."""
    present = release.categories()
    absent = [c for c in CATEGORIES if c not in present]
    counts = f"{len(present)} of {len(CATEGORIES)} categories in {release.folder / 'CAD'}"
    lacking = [f"no {', '.join(absent)}"] if absent else []
    findings = [Finding("CAD", True, "; ".join([counts, *lacking]))]
    for category in present:
        findings += _check_category(release, category)
    if not any(map(release.has_annotations, present)):
        text = f"none in {release.folder / 'Annotations'}, so only random views can be made"
        findings.append(Finding("annotations", True, text))
    return findings


def _check_category(release: Release, category: str) -> Iterator[Finding]:
    path = release.cad(category)
    try:
        models = cad_models(path, category)
        surfaces = cad_meshes(path, category, len(models))
        triangles = [len(surfaces[i].faces) for i in range(len(surfaces))]
    except UserError as error:
        yield Finding(f"CAD {category}", False, str(error))
        return
    known = keypoint_mask(models)
    counts = (
        f"{len(models)} models of {known.shape[1]} keypoints, "
        f"{min(triangles)} to {max(triangles)} triangles"
    )
    gaps = [f"lacks {int((~known).sum())} of {known.size}, by model: {_gaps(known, category)}"]
    yield Finding(f"CAD {category}", True, "; ".join([counts, *gaps * (not known.all())]))
    if release.has_annotations(category):
        for part in PARTS:
            for source in SOURCES:
                yield _check_list(release, category, source, part, models)


def _gaps(known: Bools, category: str) -> str:
    """Return which keypoints the models lack, such as `tail in 1, 2; tail_left in 5`.

    Args:
        known: (K, P) which keypoints each model has.
        category: gives the names of the points.
    """
    texts = []
    for name, column in zip(POINTS[category], known.T, strict=True):
        if not column.all():
            models = ", ".join(map(str, np.flatnonzero(~column) + 1))
            texts.append(f"{name} in {models}")
    return "; ".join(texts)


def _check_list(
    release: Release, category: str, source: Source, part: Part, models: Floats
) -> Finding:
    item = f"{category} {source} {part}"
    try:
        listed = release.image_names(category, source, part)
        have = release.annotations(category, source, part)
        objects = load_objects(release, category, source, part)
    except UserError as error:
        return Finding(item, False, str(error))
    counts = (
        f"{len(have)} images, {len(objects.number)} objects: {int(objects.whole.sum())} whole, "
        f"{int(viewable_mask(objects, models).sum())} with model and full viewpoint"
    )
    lacking, beyond = len(listed) - len(have), int((objects.model > len(models)).sum())
    problems = [
        text
        for count, text in (
            (lacking, f"{lacking} of {len(listed)} listed images have no annotation"),
            (beyond, f"{beyond} objects have a model that is not among the {len(models)}"),
        )
        if count
    ]
    return Finding(item, not problems, "; ".join([counts, *problems]))
