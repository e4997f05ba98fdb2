"""Progress is shown as plain lines in logs and as bars on a terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from liftbench.runs import progress
from liftbench.runs.progress import LiveDisplay, PlainDisplay, make_display


class Clock:
    """A clock that a test moves by hand."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(progress, "time", made)
    return made


def test_plain_lines(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with PlainDisplay() as display:
        display.plan(2)
        display.start("k", "rigid cmu 01")
        clock.now += 10
        display.update("k", 10, 40, 0.5)
        clock.now += 10
        display.update("k", 20, 40, 0.25)
        display.update("k", 21, 40, 0.24)
        clock.now += 5
        display.finish("k", "ok", "train e3d 0.1000")
    printed = capsys.readouterr()
    assert printed.out == "", "standard output holds the table alone"
    assert printed.err.splitlines() == [
        "2 runs to do",
        "rigid cmu 01: started",
        "rigid cmu 01: step 20/40 loss 0.25, 20 s left",
        "rigid cmu 01: ok train e3d 0.1000 (25.0 s)",
    ]


def test_plain_display_takes_step_zero(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    display = PlainDisplay()
    display.start("k", "a")
    clock.now += 20
    display.update("k", 0, 10, float("nan"))
    assert "step 0/10 loss nan" in capsys.readouterr().err


def test_live_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, color_system=None, width=120)
    monkeypatch.setattr(progress, "Console", lambda **_: console)
    with LiveDisplay() as display:
        display.plan(2)
        display.start("k", "method [x] on data")
        display.start("l", "other")
        display.update("k", 3, 9, 0.125)
        display._progress.refresh()
        display.finish("k", "failed", "ValueError: [bold] no")
        display._progress.refresh()
    text = shown.getvalue()
    assert "step 3/9 loss 0.125" in text
    assert "method [x] on data: failed ValueError: [bold] no" in text
    assert "1/2" in text
    assert "other" in text


@pytest.mark.parametrize(("terminal", "kind"), [(True, LiveDisplay), (False, PlainDisplay)])
def test_display_suits_standard_error(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, kind: type
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: terminal)
    monkeypatch.setattr("sys.stderr", stream)
    assert isinstance(make_display(), kind)


def test_live_bars_do_not_count_the_fit_of_a_teacher(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, color_system=None, width=120)
    monkeypatch.setattr(progress, "Console", lambda **_: console)
    with LiveDisplay() as display:
        display.plan(2)
        display.start("k", "student")
        display.start("t", "teacher", is_run=False)
        display.update("t", 3, 9, 0.125)
        display._progress.refresh()
        display.finish("t", "ended", "")
        display.note("one [line]")
        display._progress.refresh()
    text = shown.getvalue()
    assert "step 3/9 loss 0.125" in text
    assert "teacher: ended" in text
    assert "one [line]" in text
    assert "0/2" in text
    assert "1/2" not in text
