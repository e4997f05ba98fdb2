"""Every built-in method keeps the promises of the conformance kit."""

from __future__ import annotations

import pytest
from tests.plugins.conftest import registry

from liftbench.testing import Patience
from liftbench.testing.pytest_checks import Check, every_check

WITHOUT_TORCH = (
    "bmm",
    "bmm_revisited",
    "cns",
    "csf",
    "csf2",
    "em_sfm",
    "gbnrsfm",
    "ksta",
    "pnd",
    "pta",
    "rigid",
    "riks",
    "xiao_kanade",
    "zero_depth",
)
WITH_TORCH = ("c3dpo", "deep_nrsfm_pp", "kd", "pr_rrn", "sps", "ttp")
VARIANTS = (
    "c3dpo_base",
    "c3dpo_base_published",
    "c3dpo_published",
    "deep_nrsfm",
    "deep_nrsfm_kd",
    "deep_nrsfm_kd_consist",
    "deep_nrsfm_pp_consist",
    "kd_points",
    "kd_points_weaksup",
    "kd_weaksup",
    "rrn",
    "rrn_consist",
    "rrn_contrast",
    "rrn_vanilla",
    "supervised_pictures",
    "supervised_pictures_points",
    "supervised_points",
    "ttp_masks",
    "ttp_masks_published",
    "ttp_points",
    "ttp_published",
    "ttp_rigid",
    "ttp_rigid_masks",
    "ttp_views",
)
# Their recipe is for GPUs: one step takes half a minute on a CPU, after which they heed the budget.
FOR_GPUS = ("kd_published", "kd_weaksup_published")


def test_every_built_in_method_is_checked_here() -> None:
    sources = registry().methods.sources.items()
    built_in = [key for key, source in sources if source.split()[0] == "liftbench"]
    assert sorted(built_in) == sorted((*WITHOUT_TORCH, *WITH_TORCH, *VARIANTS, *FOR_GPUS))


@every_check(*WITH_TORCH)
def test_a_method_with_torch_conforms(
    check: Check, no_compiler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", no_compiler)
    check()


@pytest.mark.slow
@every_check(*VARIANTS)
def test_a_variant_of_a_learned_method_conforms(
    check: Check, no_compiler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", no_compiler)
    check()


@pytest.mark.slow
@every_check(*FOR_GPUS, patience=Patience(grace_s=600))
def test_a_recipe_for_gpus_conforms(
    check: Check, no_compiler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", no_compiler)
    check()


@every_check(*WITHOUT_TORCH)
def test_a_method_without_torch_conforms(
    check: Check, no_torch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", no_torch)
    check()
