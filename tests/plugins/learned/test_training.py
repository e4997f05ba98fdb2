from __future__ import annotations

import math
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from liftbench import RunContext
from liftbench_plugins.learned import training
from liftbench_plugins.learned.optimiser import MomentumDescent, MuonAndAdam
from liftbench_plugins.learned.training import (
    Schedule,
    Stages,
    SteppedSchedule,
    steps_per_epoch,
    train,
)

Report = tuple[int, int, float]


class Line(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.slope = torch.nn.Parameter(torch.zeros(()))


def context(
    tmp_path: Path, reported: list[Report], seed: int = 0, budget_s: float = 1e6
) -> RunContext:
    return RunContext(
        seed=seed,
        device="cpu",
        threads=1,
        budget_s=budget_s,
        scratch=tmp_path,
        progress=lambda step, steps, loss: reported.append((step, steps, loss)),
    )


X = torch.linspace(-1, 1, 40)


def fit(
    line: Line,
    reported: list[Report],
    tmp_path: Path,
    steps: int = 60,
    seen: list[list[int]] | None = None,
    **kwargs: Any,
) -> float:
    def loss(frames: Tensor, _: torch.Generator) -> Tensor:
        if seen is not None:
            seen.append(frames.tolist())
        return (3 * X[frames] - line.slope * X[frames]).square().mean()

    train(line, loss, len(X), Schedule(steps, 8, 0.1), context(tmp_path, reported, **kwargs))
    return line.slope.item()


def test_it_minimises_the_loss_and_reports_its_progress(tmp_path: Path) -> None:
    reported: list[Report] = []
    slope = fit(Line(), reported, tmp_path, steps=300)
    assert slope == pytest.approx(3, abs=0.05)
    assert reported[-1][:2] == (300, 300)
    assert reported[-1][2] < reported[0][2]


def test_every_epoch_visits_every_frame_once_in_a_new_order(tmp_path: Path) -> None:
    seen: list[list[int]] = []
    fit(Line(), [], tmp_path, steps=10, seen=seen)
    epochs = [[*chain(*seen[:5])], [*chain(*seen[5:])]]
    assert [sorted(epoch) for epoch in epochs] == [list(range(40))] * 2
    assert epochs[0] != epochs[1]


def test_the_order_depends_on_the_seed_alone(tmp_path: Path) -> None:
    orders: list[list[list[int]]] = []
    for run, seed in enumerate((0, 0, 1)):
        orders.append([])
        (tmp_path / str(run)).mkdir()
        fit(Line(), [], tmp_path / str(run), steps=5, seen=orders[-1], seed=seed)
    assert orders[0] == orders[1] != orders[2]


def test_the_rate_falls_from_its_start_to_zero_along_half_a_cosine() -> None:
    schedule = Schedule(steps=100, batch_size=8, learning_rate=0.4)
    assert schedule.rate(0) == 0.4
    assert schedule.rate(50) == pytest.approx(0.2)
    assert schedule.rate(25) == pytest.approx(0.2 * (1 + math.sqrt(0.5)))
    assert schedule.rate(100) == pytest.approx(0)


def test_a_stepped_rate_falls_to_a_tenth_at_each_drop() -> None:
    schedule = SteppedSchedule(steps=9, batch_size=8, learning_rate=0.4, drops=(3, 5))
    rates = [schedule.rate(step) for step in range(9)]
    assert rates == pytest.approx([0.4] * 3 + [0.04] * 2 + [0.004] * 4)


@pytest.mark.parametrize(
    ("frames", "batch", "steps"), [(40, 8, 5), (47, 8, 5), (8, 8, 1), (3, 8, 1)]
)
def test_an_epoch_has_whole_batches_alone(frames: int, batch: int, steps: int) -> None:
    assert steps_per_epoch(frames, batch) == steps


def test_a_training_takes_the_optimiser_that_it_is_given(tmp_path: Path) -> None:
    line = Line()
    train(
        line,
        lambda *_: 2 * line.slope,
        len(X),
        SteppedSchedule(3, 8, 0.5, drops=(2,)),
        context(tmp_path, []),
        MomentumDescent(line, 0.0, 0.0),
    )
    assert line.slope.item() == pytest.approx(-2 * (0.5 + 0.5 + 0.05))


def test_each_step_has_the_rate_of_its_schedule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates: list[float] = []

    class Recorder(MuonAndAdam):
        def step(self, learning_rate: float) -> None:
            rates.append(learning_rate)
            super().step(learning_rate)

    monkeypatch.setattr(training, "MuonAndAdam", Recorder)
    fit(Line(), [], tmp_path, steps=12)
    assert rates == [Schedule(12, 8, 0.1).rate(step) for step in range(12)]


def test_a_killed_run_continues_to_the_same_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "_CHECKPOINT_SECONDS", 0.0)
    (tmp_path / "whole").mkdir()
    (tmp_path / "killed").mkdir()
    whole = fit(Line(), [], tmp_path / "whole")

    class KilledError(Exception):
        pass

    seen: list[list[int]] = []

    def die(step: int, steps: int, loss: float) -> None:
        if step >= 31:
            raise KilledError

    killed = context(tmp_path / "killed", [])
    object.__setattr__(killed, "progress", die)
    line = Line()
    with pytest.raises(KilledError):
        train(
            line,
            lambda frames, _: (3 * X[frames] - line.slope * X[frames]).square().mean(),
            len(X),
            Schedule(60, 8, 0.1),
            killed,
        )
    resumed = fit(Line(), [], tmp_path / "killed", seen=seen)
    assert 0 < len(seen) < 60
    assert resumed == whole


class Wide(Line):
    """Has a parameter of the same name and another shape."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = torch.nn.Parameter(torch.zeros(1))


def of_another_network(folder: Path) -> None:
    fit(Wide(), [], folder)


def of_another_schedule(folder: Path) -> None:
    fit(Line(), [], folder, steps=90)


def of_another_seed(folder: Path) -> None:
    fit(Line(), [], folder, seed=1)


def of_another_optimiser(folder: Path) -> None:
    line, seen = Line(), context(folder, [])
    steps = Schedule(60, 8, 0.1)
    train(line, lambda *_: line.slope.square(), len(X), steps, seen, MomentumDescent(line, 0, 0))


def of_a_former_version(folder: Path) -> None:
    state = {"network": Line().state_dict(), "optimiser": {}, "step": 50}
    torch.save(state, folder / "checkpoint.pt")


def truncated(folder: Path) -> None:
    fit(Line(), [], folder)
    path = folder / "checkpoint.pt"
    path.write_bytes(path.read_bytes()[:-100])


def no_checkpoint(folder: Path) -> None:
    (folder / "checkpoint.pt").write_bytes(b"something else")


OTHER = "is of another configuration"


@pytest.mark.parametrize(
    ("prepare", "what"),
    [
        (of_another_network, OTHER),
        (of_another_schedule, OTHER),
        (of_another_seed, OTHER),
        (of_another_optimiser, OTHER),
        (of_a_former_version, OTHER),
        (truncated, "is damaged"),
        (no_checkpoint, "is damaged"),
    ],
)
def test_a_checkpoint_that_does_not_belong_here_is_ignored_with_a_note(
    prepare: Callable[[Path], None],
    what: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("clean", "used"):
        (tmp_path / name).mkdir()
    expected = fit(Line(), [], tmp_path / "clean")
    with monkeypatch.context() as patch:
        patch.setattr(training, "_CHECKPOINT_SECONDS", 0.0)
        prepare(tmp_path / "used")
    assert (tmp_path / "used" / "checkpoint.pt").exists()
    assert capsys.readouterr().out == ""
    seen: list[list[int]] = []
    assert fit(Line(), [], tmp_path / "used", seen=seen) == expected
    assert len(seen) == 60
    assert capsys.readouterr().out == f"checkpoint.pt {what}: the training begins anew\n"


def test_a_loss_that_is_not_finite_stops_with_a_clear_error(tmp_path: Path) -> None:
    line = Line()
    with pytest.raises(FloatingPointError, match=r"loss became nan by step 1; lower learning_rate"):
        train(
            line,
            lambda *_: line.slope * torch.nan,
            len(X),
            Schedule(60, 8, 0.1),
            context(tmp_path, []),
        )


def test_training_ends_when_its_budget_is_used_up(tmp_path: Path) -> None:
    reported: list[Report] = []
    seen: list[list[int]] = []
    fit(Line(), reported, tmp_path, steps=500, seen=seen, budget_s=0.0)
    assert len(seen) == 1
    ((step, steps, loss),) = reported
    assert (step, steps) == (1, 500)
    assert math.isfinite(loss)


def test_fewer_frames_than_a_batch_are_taken_together(tmp_path: Path) -> None:
    line = Line()
    seen: list[list[int]] = []

    def loss(frames: Tensor, _: torch.Generator) -> Tensor:
        seen.append(sorted(frames.tolist()))
        return (X[frames] - line.slope * X[frames]).square().mean()

    train(line, loss, 3, Schedule(2, 8, 0.1), context(tmp_path, []))
    assert seen == [[0, 1, 2]] * 2


def draws(tmp_path: Path, seed: int = 0, steps: int = 6) -> list[list[float]]:
    """Return what each step draws from its generator."""
    line = Line()
    drawn: list[list[float]] = []
    folder = tmp_path / f"{len(list(tmp_path.iterdir()))}"
    folder.mkdir()

    def loss(frames: Tensor, generator: torch.Generator) -> Tensor:
        drawn.append(torch.rand(3, generator=generator).tolist())
        return (X[frames] - line.slope * X[frames]).square().mean()

    train(line, loss, len(X), Schedule(steps, 8, 0.1), context(folder, [], seed=seed))
    return drawn


def test_the_random_draws_of_a_step_depend_on_the_seed_and_the_step_alone(tmp_path: Path) -> None:
    one, again, other = (draws(tmp_path, seed) for seed in (0, 0, 1))
    assert one == again
    assert len({tuple(step) for step in (*one, *other)}) == 12


def test_stages_share_a_budget_and_count_their_progress_together(tmp_path: Path) -> None:
    reported: list[Report] = []
    stages = Stages(context(tmp_path, reported, budget_s=50.0), 30)
    contexts = [stages.begin(steps) for steps in (5, 5, 20)]
    assert len({stage.scratch for stage in contexts}) == 3
    assert all(stage.scratch.is_dir() and stage.scratch.parent == tmp_path for stage in contexts)
    assert 50.0 > contexts[0].budget_s > contexts[1].budget_s > contexts[2].budget_s > 49.0
    for stage in contexts:
        stage.progress(2, 20, 0.5)
    assert reported == [(2, 30, 0.5), (7, 30, 0.5), (12, 30, 0.5)]
