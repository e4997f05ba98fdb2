"""The models that stand for generated categories, which methods may know."""

from __future__ import annotations

from functools import lru_cache

from liftbench.types import Template
from liftbench_datasets.geometry.cell_surface import union_surface
from liftbench_datasets.pascal3d.categories import CATEGORIES
from liftbench_datasets.pascal3d.synthetic.bodies import middle_body
from liftbench_datasets.pascal3d.synthetic.views import SKETCHES
from liftbench_datasets.pascal3d.template import mark_points

_STEP = 0.05  # of the diagonal, the longest edge along an axis


@lru_cache(maxsize=len(CATEGORIES))
def middle_template(category: str) -> Template:
    """Return the object whose measures are half way between their ends, in the model frame.

    No frame shows it, as the measures of objects are drawn.
    """
    body = middle_body(SKETCHES[category], category)
    return mark_points(union_surface(body.solids[0], _STEP), body.points[0])
