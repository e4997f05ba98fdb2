"""Classical structure from motion: factorisation of the measurement matrix W."""

from __future__ import annotations

from liftbench import MethodSpec
from liftbench_plugins.classical.bmm import BMM
from liftbench_plugins.classical.bmm_revisited import BMM_REVISITED
from liftbench_plugins.classical.cns import CNS
from liftbench_plugins.classical.csf import CSF
from liftbench_plugins.classical.csf2 import CSF2
from liftbench_plugins.classical.em_sfm import EM_SFM
from liftbench_plugins.classical.gbnrsfm import GBNRSFM
from liftbench_plugins.classical.ksta import KSTA
from liftbench_plugins.classical.pnd import PND
from liftbench_plugins.classical.pta import PTA
from liftbench_plugins.classical.rigid import RIGID
from liftbench_plugins.classical.riks import RIKS
from liftbench_plugins.classical.sps import SPS
from liftbench_plugins.classical.xiao_kanade import XIAO_KANADE

CLASSICAL: tuple[MethodSpec, ...] = (
    RIGID,
    PTA,
    CSF,
    CSF2,
    EM_SFM,
    KSTA,
    RIKS,
    XIAO_KANADE,
    BMM,
    BMM_REVISITED,
    GBNRSFM,
    SPS,
    PND,
    CNS,
)
