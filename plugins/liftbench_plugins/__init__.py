"""The built-in methods, the suites of the papers' tables, and the numbers that they print."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from liftbench import MethodSpec, hookimpl
from liftbench_plugins.classical import CLASSICAL
from liftbench_plugins.learned.c3dpo import VARIANTS as C3DPO_VARIANTS
from liftbench_plugins.learned.deep_nrsfm import DEEP_NRSFM, DEEP_NRSFM_PP, DEEP_NRSFM_PP_CONSIST
from liftbench_plugins.learned.deep_nrsfm_kd import TEACHERS as KD_TEACHERS
from liftbench_plugins.learned.kd import STUDENTS as KD_STUDENTS
from liftbench_plugins.learned.pr_rrn import VARIANTS as PR_RRN_VARIANTS
from liftbench_plugins.learned.ttp import VARIANTS as TTP_VARIANTS
from liftbench_plugins.learned.ttp_points import TTP_POINTS
from liftbench_plugins.zero_depth import ZERO_DEPTH

_HERE = Path(__file__).parent


@hookimpl
def liftbench_methods() -> Sequence[MethodSpec]:
    """Return the built-in methods."""
    deep_nrsfm = (DEEP_NRSFM, DEEP_NRSFM_PP, DEEP_NRSFM_PP_CONSIST)
    kd = (*KD_TEACHERS, *KD_STUDENTS)
    learned = (*deep_nrsfm, *kd, *PR_RRN_VARIANTS, *C3DPO_VARIANTS, *TTP_VARIANTS, TTP_POINTS)
    return [ZERO_DEPTH, *CLASSICAL, *learned]


@hookimpl
def liftbench_suites() -> Sequence[Path]:
    """Return the built-in suites."""
    return sorted((_HERE / "suites").glob("*.yaml"))


@hookimpl
def liftbench_published() -> Sequence[Path]:
    """Return the numbers of the papers."""
    return sorted((_HERE / "published").glob("*.csv"))
