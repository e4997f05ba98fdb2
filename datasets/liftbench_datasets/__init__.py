"""The built-in datasets."""

from __future__ import annotations

from collections.abc import Sequence

from liftbench import DatasetSpec, hookimpl
from liftbench_datasets.apollocar3d.adapter import APOLLOCAR3D
from liftbench_datasets.apollocar3d.synthetic.adapter import SYNTHETIC_APOLLO
from liftbench_datasets.c3dpo.adapter import C3DPO_JSON
from liftbench_datasets.cmu.adapter import CMU
from liftbench_datasets.cub.adapter import CUB
from liftbench_datasets.cub.synthetic.adapter import SYNTHETIC_CUB
from liftbench_datasets.h36m.adapter import H36M
from liftbench_datasets.h36m.synthetic.adapter import SYNTHETIC_H36M
from liftbench_datasets.muct.adapter import MUCT
from liftbench_datasets.nrsfm_challenge.adapter import NRSFM_CHALLENGE
from liftbench_datasets.nrsfm_classic.adapter import NRSFM_CLASSIC
from liftbench_datasets.pascal3d.adapter import PASCAL3D
from liftbench_datasets.pascal3d.synthetic.adapter import SYNTHETIC_PASCAL3D
from liftbench_datasets.points.adapter import POINTS
from liftbench_datasets.synthetic_body.adapter import SYNTHETIC_BODY
from liftbench_datasets.two_cloths.adapter import TWO_CLOTHS
from liftbench_datasets.up3d.adapter import UP3D
from liftbench_datasets.up3d.synthetic import SYNTHETIC_UP3D


@hookimpl
def liftbench_datasets() -> Sequence[DatasetSpec]:
    """Return the built-in datasets."""
    return [
        APOLLOCAR3D,
        C3DPO_JSON,
        CMU,
        CUB,
        H36M,
        MUCT,
        NRSFM_CHALLENGE,
        NRSFM_CLASSIC,
        PASCAL3D,
        POINTS,
        SYNTHETIC_APOLLO,
        SYNTHETIC_BODY,
        SYNTHETIC_CUB,
        SYNTHETIC_H36M,
        SYNTHETIC_PASCAL3D,
        SYNTHETIC_UP3D,
        TWO_CLOTHS,
        UP3D,
    ]
