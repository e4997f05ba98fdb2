from __future__ import annotations

from typing import Any

import pytest
from tests.plugins.classical.conftest import message_of

from liftbench_plugins.classical.bmm_revisited import BmmRevisitedParams
from liftbench_plugins.classical.cns import CnsParams
from liftbench_plugins.classical.csf2 import Csf2Params
from liftbench_plugins.classical.em_sfm import EmSfmParams
from liftbench_plugins.classical.params import RankParams, SmoothParams
from liftbench_plugins.classical.pnd import PndParams
from liftbench_plugins.classical.pta import PtaParams
from liftbench_plugins.classical.sps import SpsParams

ALL = (
    RankParams,
    SmoothParams,
    Csf2Params,
    EmSfmParams,
    BmmRevisitedParams,
    PtaParams,
    SpsParams,
    PndParams,
    CnsParams,
)
FIELDS = [(kind, name) for kind in ALL for name in vars(kind())]


@pytest.mark.parametrize("value", [0, -1])
@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_every_parameter_must_be_positive(kind: type, name: str, value: Any) -> None:
    with pytest.raises(
        ValueError, match=f"^{name}: expected a positive number, got {value}$"
    ) as caught:
        kind(**{name: value})
    assert message_of(caught)


def test_smoothness_is_at_most_1() -> None:
    assert SmoothParams(smoothness=1).basis_size(60, 1) == 60
    with pytest.raises(ValueError, match="smoothness: expected at most 1, got 2"):
        SmoothParams(smoothness=2)


@pytest.mark.parametrize(
    ("frames", "shapes", "expected"),
    [(1000, 5, 100), (1001, 5, 101), (200, 5, 30), (60, 5, 20), (60, 25, 25), (9, 25, 9)],
)
def test_a_basis_has_a_share_of_the_frames_or_more_if_they_are_few(
    frames: int, shapes: int, expected: int
) -> None:
    assert SmoothParams(smoothness=0.1).basis_size(frames, shapes) == expected
