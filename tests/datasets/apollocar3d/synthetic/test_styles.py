"""The measures of generated cars."""

from __future__ import annotations

import numpy as np
import pytest

from liftbench.seeds import named_rng
from liftbench_datasets.apollocar3d.synthetic.styles import STYLES, draw_measures


def test_measures_stay_in_the_range_of_their_styles() -> None:
    m = draw_measures(named_rng("measures"), 4000)
    for name in ("length", "width", "height"):
        drawn = getattr(m, name)
        low = min(getattr(style, name)[0] for style in STYLES.values())
        high = max(getattr(style, name)[1] for style in STYLES.values())
        assert low <= drawn.min() < low + 0.1 * (high - low)
        assert high - 0.1 * (high - low) < drawn.max() <= high
    along = np.stack([m.front_axle, m.roof_front_z, m.roof_rear_z, m.deck_z, -m.length / 2])
    assert (np.diff(along, axis=0) < 0).all()
    assert sum(style.share for style in STYLES.values()) == pytest.approx(1)
