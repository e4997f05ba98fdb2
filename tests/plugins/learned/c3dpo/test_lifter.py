"""How C3DPO is fitted, and what it makes of its networks' output."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.plugins.conftest import fit_method, observe, random_mask, registry, rigid_views

from liftbench import Observations, RunContext
from liftbench.cameras import in_place, subtract_mean
from liftbench.runs.exchange import digest
from liftbench_plugins.learned import training
from liftbench_plugins.learned.c3dpo.lifter import C3dpo

SMALL = {"basis": 3, "width": 8, "bottleneck": 4, "blocks": 1, "batch_size": 16}
SHORT: dict[str, dict[str, Any]] = {"c3dpo": {"steps": 12}, "c3dpo_published": {"epochs": (2, 3)}}
both_recipes = pytest.mark.parametrize("key", SHORT)


def fit(
    key: str, observations: Observations, tmp_path: Path, seed: int = 0, **params: Any
) -> C3dpo:
    """Return a small C3DPO after a few steps of training."""
    method = fit_method(key, observations, tmp_path, seed, **{**SMALL, **SHORT[key], **params})
    assert isinstance(method, C3dpo)
    return method


def views_with_hidden_points() -> Observations:
    views = rigid_views(frames=40)
    return observe(views + 5.0, visible=random_mask(views.shape))


def test_visible_points_keep_their_image_and_hidden_ones_come_from_the_shape(
    tmp_path: Path,
) -> None:
    seen = views_with_hidden_points()
    method = fit("c3dpo", seen, tmp_path)
    lifted = method.predict(seen).points_3d
    np.testing.assert_array_equal(lifted[seen.visible][:, :2], seen.points_2d[seen.visible])
    with torch.no_grad():
        shapes, rotations = method._lift(*method._batch(seen))
    reprojected = in_place(shapes @ rotations, seen)
    np.testing.assert_allclose(lifted[~seen.visible], reprojected[~seen.visible])
    np.testing.assert_allclose(lifted[..., 2], (shapes @ rotations)[..., 2])


def test_the_canonical_points_are_the_lifted_ones_turned_back(tmp_path: Path) -> None:
    seen = views_with_hidden_points()
    lifted = fit("c3dpo", seen, tmp_path).predict(seen)
    assert lifted.canonical_3d is not None
    assert lifted.rotation is not None
    turned = lifted.canonical_3d @ lifted.rotation.swapaxes(1, 2)
    np.testing.assert_allclose(turned, subtract_mean(lifted.points_3d), atol=1e-6)


def test_the_unit_of_the_points_does_not_matter(tmp_path: Path) -> None:
    views = rigid_views(frames=40)
    small, large = (
        fit("c3dpo", seen, tmp_path).predict(seen).points_3d
        for seen in (observe(views), observe(1024 * views))
    )
    np.testing.assert_array_equal(large, 1024 * small)


def test_the_place_of_the_points_does_not_matter(tmp_path: Path) -> None:
    views = rigid_views(frames=40)
    method = fit("c3dpo", observe(views), tmp_path)
    moved = method.predict(observe(views + 7.0)).points_3d
    expected = method.predict(observe(views)).points_3d + np.array([7.0, 7.0, 0.0])
    np.testing.assert_allclose(moved, expected, atol=1e-4)


def test_each_frame_is_lifted_alone(tmp_path: Path) -> None:
    """Predictions take the means and variances of the training, not those of their batch."""
    views = rigid_views(frames=40)
    method = fit("c3dpo", observe(views), tmp_path)
    together = method.predict(observe(views)).points_3d[:3]
    np.testing.assert_allclose(method.predict(observe(views[:3])).points_3d, together, atol=1e-5)


def test_the_base_variant_has_no_canonicalisation(tmp_path: Path) -> None:
    seen = observe(rigid_views(frames=40))
    base, whole = (
        fit_method(key, seen, tmp_path, **SMALL, steps=2) for key in ("c3dpo_base", "c3dpo")
    )
    assert isinstance(base, C3dpo)
    assert isinstance(whole, C3dpo)
    assert base.network.psi is None
    assert whole.network.psi is not None


@both_recipes
def test_the_result_depends_on_the_seed_alone(key: str, tmp_path: Path) -> None:
    seen = views_with_hidden_points()
    first, again, other = (
        digest(fit(key, seen, tmp_path, seed).predict(seen)) for seed in (0, 0, 1)
    )
    assert first == again != other


class KilledError(Exception):
    pass


@both_recipes
def test_a_killed_fit_continues_to_the_same_result(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "_CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(training, "_REPORT_EVERY", 2)
    seen = views_with_hidden_points()
    expected = digest(fit(key, seen, tmp_path).predict(seen))
    spec = registry().methods[key]
    params = vars(spec.params(**SMALL, **SHORT[key]))

    def die(step: int, _steps: int, _loss: float) -> None:
        if step >= 5:
            raise KilledError

    with pytest.raises(KilledError):
        spec.make(**params).fit(seen, context(tmp_path, die))
    reported: list[int] = []
    method = spec.make(**params)
    method.fit(seen, context(tmp_path, lambda step, *_: reported.append(step)))
    assert reported[0] > 3
    assert digest(method.predict(seen)) == expected


def context(tmp_path: Path, progress: Callable[[int, int, float], None]) -> RunContext:
    return RunContext(0, "cpu", 1, 1e6, tmp_path, progress)


def test_the_published_recipe_counts_epochs_of_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates: list[float] = []
    step = torch.optim.SGD.step

    def record(optimiser: torch.optim.SGD) -> None:
        (group,) = optimiser.param_groups
        assert (group["momentum"], group["weight_decay"]) == (0.9, 5e-4)
        rates.append(group["lr"])
        step(optimiser)

    monkeypatch.setattr(torch.optim.SGD, "step", record)
    seen = observe(rigid_views(frames=70))
    fit("c3dpo_published", seen, tmp_path, epochs=(2, 3, 5), batch_size=16)
    assert rates == pytest.approx([1e-3] * 8 + [1e-4] * 4 + [1e-5] * 8)


def test_points_that_coincide_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"C3DPO needs points that differ"):
        fit("c3dpo", observe(np.zeros((5, 4, 3))), tmp_path)
