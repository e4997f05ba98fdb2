from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from scipy.special import expit
from scipy.stats import norm

from liftbench.types import Floats
from liftbench_plugins.learned.mirror_images import evidence, log_odds


def most_likely(residual: Floats) -> float:
    """Return the log likelihood of residuals under normal noise of the size that suits them."""
    return float(norm.logpdf(residual, scale=np.sqrt(np.mean(residual**2))).sum())


def test_evidence_is_the_log_of_the_ratio_of_the_greatest_likelihoods() -> None:
    own, mirrored = np.random.default_rng(0).standard_normal((2, 4, 7)) * [[[1.0]], [[1.5]]]
    norms = [torch.from_numpy(np.linalg.norm(residuals, axis=1)) for residuals in (own, mirrored)]
    found = evidence(norms[0], norms[1], 7)
    expected = [most_likely(a) - most_likely(b) for a, b in zip(own, mirrored, strict=True)]
    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize("shift", [-3.0, 0.0, 1.0, 4.0])
def test_the_odds_are_the_most_likely_ones_after_one_frame_of_each_kind_is_added(
    shift: float,
) -> None:
    given = np.random.default_rng(1).normal(shift, 3, 60)

    def unlikely(odds: float) -> float:
        share = expit(odds)
        frames = np.log(share * np.exp(given) + 1 - share).sum()
        return float(-frames - np.log(share) - np.log(1 - share))

    best = minimize_scalar(unlikely, bounds=(-8, 8), method="bounded").x
    assert float(log_odds(torch.from_numpy(given))) == pytest.approx(best, abs=0.02)


def test_mirror_images_have_the_opposite_odds() -> None:
    given = torch.linspace(-1, 5, 30)
    assert float(log_odds(-given)) == pytest.approx(-float(log_odds(given)), abs=1e-5)
    assert float(log_odds(torch.zeros(8))) == 0


def test_clear_frames_decide_for_unclear_ones_and_keep_their_own_choice() -> None:
    given = torch.tensor([30.0] * 40 + [-0.5] * 10 + [-30.0])
    reported = given + log_odds(given) > 0
    assert reported[:50].all()
    assert not reported[50]


def test_each_frame_decides_for_itself_if_both_kinds_are_equally_many() -> None:
    given = torch.tensor([20.0, -20.0] * 30 + [0.5, -0.5])
    torch.testing.assert_close(given + log_odds(given) > 0, given > 0)
