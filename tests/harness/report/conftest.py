"""A headless Chromium, and a report that has every kind of content."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from liftbench.protocols.builtin import BUILTIN_PROTOCOLS
from liftbench.report import SuiteReport
from liftbench.report.content import (
    FRAME_RANKS,
    Bar,
    BarChart,
    ComparedFrame,
    ErrorSpread,
    FramePicture,
    Gallery,
    MeshFrame,
    MeshGallery,
    RunSummary,
    SplitReport,
    TrainingChart,
    TrainingCurve,
)
from liftbench.suites.grids import Axis, Grid
from liftbench.suites.published import PublishedNumber
from liftbench.suites.suite import Suite
from liftbench.sweeps.surfaces import Surface
from liftbench.sweeps.sweep import Panel, Sweep
from liftbench.tables import Entry, Leaderboard, Line, Section
from liftbench.types import Floats

MARKUP = "<img src=x onerror=\"document.title='owned'\"></script><!-- & $x$ {{ 1 }}"
METHODS = ("ours", MARKUP, "only printed")
# Chromium reads commands from descriptor 3 and writes answers to 4.
_START = "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); \
os.execv(sys.argv[3], sys.argv[3:])"
_FLAGS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--hide-scrollbars",
)


@dataclass
class Browser:
    """A running browser with one page.

    Attributes:
        events: the events that the page has reported so far: (method, params).
    """

    process: subprocess.Popen[bytes]
    commands: int
    answers: int
    session: str = ""
    sent: int = 0
    pending: bytes = b""
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Give a command and return its result."""
        self.sent += 1
        message = {"id": self.sent, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self.sent:
                assert "error" not in answer, answer
                return dict(answer["result"])

    def wait_for(self, method: str) -> None:
        """Wait until the page reports an event."""
        while not any(name == method for name, _ in self.events):
            self._receive()

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self.pending:
            more = os.read(self.answers, 1 << 20)
            assert more, "the browser ended"
            self.pending += more
        message, _, self.pending = self.pending.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        if "method" in answer:
            self.events.append((answer["method"], answer.get("params", {})))
        return answer

    def attach(self) -> None:
        """Attach to the page that the browser has opened."""
        targets = self.send("Target.getTargets")["targetInfos"]
        page = next(target for target in targets if target["type"] == "page")
        attached = self.send("Target.attachToTarget", targetId=page["targetId"], flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def open(self, path: Path, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Open a file and wait until the page is loaded and drawn."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])
        self._load("about:blank")  # the same page at another anchor would not load again
        self._load(path.resolve().as_uri())
        self.settle()

    def _load(self, address: str) -> None:
        self.events.clear()
        self.send("Page.navigate", url=address)
        self.wait_for("Page.loadEventFired")

    def settle(self) -> None:
        """Wait until the page has drawn its changes."""
        self.run("await new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")

    def run(self, script: str) -> Any:
        """Run statements of JavaScript, which may await, and return what they return."""
        done = self.send(
            "Runtime.evaluate",
            expression=f"(async () => {{ {script} }})()",
            awaitPromise=True,
            returnByValue=True,
        )
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def wait_until(self, script: str, value: Any) -> None:
        """Wait until a script returns a value."""
        while self.run(script) != value:
            self.settle()

    def drag(self, x: float, y: float, dx: float, dy: float) -> None:
        """Press the mouse at a place and move it."""
        for kind, a, b in (
            ("mousePressed", x, y),
            ("mouseMoved", x + dx, y + dy),
            ("mouseReleased", x + dx, y + dy),
        ):
            self.send("Input.dispatchMouseEvent", type=kind, x=a, y=b, button="left", clickCount=1)
        self.settle()

    def press(self, key: str) -> None:
        """Press a key on the element that has the focus."""
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key)
        self.settle()

    def screenshot(self, path: Path, *, whole: bool = False) -> None:
        """Write a picture of the visible part of the page, or of the whole page."""
        shot = self.send("Page.captureScreenshot", captureBeyondViewport=whole, format="png")
        path.write_bytes(base64.b64decode(shot["data"]))

    @property
    def requests(self) -> list[str]:
        """The addresses that the page has requested; its own data are no request."""
        sent = [p["request"]["url"] for n, p in self.events if n == "Network.requestWillBeSent"]
        return [address for address in sent if not address.startswith("data:")]

    @property
    def complaints(self) -> list[dict[str, Any]]:
        """All errors and messages of the console."""
        names = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")
        return [params for name, params in self.events if name in names]


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A headless Chromium."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    profile = tmp_path_factory.mktemp("profile")
    pipes = [*os.pipe(), *os.pipe()]
    # Descriptors from 10 on, because the browser reads from 3 and writes to 4.
    theirs_in, commands, answers, theirs_out = (
        fcntl.fcntl(p, fcntl.F_DUPFD_CLOEXEC, 10) for p in pipes
    )
    for pipe in pipes:
        os.close(pipe)
    start = [sys.executable, "-c", _START, str(theirs_in), str(theirs_out)]
    process = subprocess.Popen(
        [*start, found, *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
        pass_fds=(theirs_in, theirs_out),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs_in)
    os.close(theirs_out)
    made = Browser(process, commands, answers)
    try:
        made.attach()
        yield made
    finally:
        process.terminate()
        process.wait(timeout=30)
        os.close(commands)
        os.close(answers)


@pytest.fixture
def report() -> SuiteReport:
    """A report with every kind of content; each text that a plugin could supply is markup."""
    data = {"dataset": "tiny", "subsets": ["one"], "fit": "train", "evaluate": ["train"]}
    content = {"name": "small", "title": f"Small {MARKUP}", "data": [data], "protocol": "e3d"}
    named = Suite.model_validate({**content, "methods": {"ours": {}}})
    run = RunSummary(MARKUP, MARKUP, 0, "ok", "train e3d 0.5", 1.5, 0.25, 100.0, "0123456789abcdef")
    return SuiteReport(
        board=Leaderboard(
            named, (_section(),), (MARKUP,), (f"a note {MARKUP}",), (f"a problem {MARKUP}",)
        ),
        methods={"ours": "Ours", MARKUP: MARKUP, "only printed": ""},
        bars=(BarChart(MARKUP, MARKUP, (Bar("ours", MARKUP, 0.5, 0.1, 0.75, MARKUP),)),),
        sweeps=_sweeps(named),
        splits=(_split(f"one {MARKUP}", 0), _split("two", 1)),
        meshes=(_meshes("ours"), _meshes(MARKUP)),
        trainings=(
            TrainingChart(MARKUP, "loss", tuple(_curve(m, s) for m in METHODS[:2] for s in (0, 1))),
        ),
        planned=3,
        runs=(run, replace(run, status="out_of_memory")),
        environments=({"runs": 1, "processor": MARKUP, "packages": {MARKUP: MARKUP}}, {"runs": 2}),
        left_out=(f"No frames of 1 run: {MARKUP}",),
    )


def _section() -> Section:
    """Six entries: by number they sort differently than by name, by text and by position."""
    values = {"b": 2.5, "c": None, "a": 0.125, "e": None, "d": 0.015, MARKUP: None}
    entries = tuple(_entry(name, value) for name, value in values.items())
    return Section(BUILTIN_PROTOCOLS[0], "ratio", more_is_better=False, entries=entries)


def _entry(method: str, value: float | None) -> Entry:
    numbers = (_printed(method),) if method == "c" else ()
    line = Line(
        suite="small",
        dataset="tiny",
        subset=MARKUP,
        split="train",
        setting="",
        method=method,
        protocol=BUILTIN_PROTOCOLS[0].identity,
        metric="e3d",
        unit="ratio",
        value=value,
        std=0.5 if method == "b" else None,
        n_seeds=0 if value is None else 3,
        coverage=0.0 if value is None else 1.0,
        published=numbers[0].value if numbers else None,
        published_source=MARKUP,
        status={"c": "published_only", "e": "failed", MARKUP: "not_run"}.get(method, "ok"),
        fit_seconds=None,
        predict_seconds=None,
        key="",
    )
    return Entry(line, numbers)


def _printed(method: str) -> PublishedNumber:
    return PublishedNumber(
        paper="paper",
        table=MARKUP,
        dataset="tiny",
        subset=MARKUP,
        split="train",
        setting="",
        method=method,
        metric="e3d",
        unit="ratio",
        value=10.5,
        std=None,
        note="",
        decimals=3,
    )


def _sweeps(suite: Suite) -> tuple[Sweep, ...]:
    """A curve, a plane, and two planes for the two values of a third axis."""
    noise = Axis("noise", "pixels", (0.0, 3.0, 5.0), f"Noise {MARKUP}", MARKUP)
    hidden = Axis("missing", "share", (0.0, 0.3), "Hidden", "%")
    occlusion = Axis("data", "occlusion", (False, True), "Occlusion")
    line = np.array([[0.12, 0.25, 0.4], [0.13, np.nan, 0.6]])
    plane = np.array([[[0.1, 0.2], [0.3, np.nan], [0.5, 0.8]]])
    both = np.stack([plane, plane + 1], axis=-1)
    printed = np.array([np.nan, 0.3, np.nan])
    return (
        _sweep(suite, Grid((noise,)), _surface(Grid((noise,)), "ours", line, printed)),
        _sweep(suite, Grid((noise, hidden)), _surface(Grid((noise, hidden)), MARKUP, plane)),
        _sweep(
            suite,
            Grid((noise, hidden, occlusion)),
            _surface(Grid((noise, hidden, occlusion)), "ours", both),
        ),
    )


def _sweep(suite: Suite, grid: Grid, *surfaces: Surface) -> Sweep:
    protocol = BUILTIN_PROTOCOLS[0]
    panel = Panel(protocol, "ratio", f"tiny {MARKUP}", "one", "", surfaces, ())
    return Sweep(suite, grid, (panel,), ())


def _surface(grid: Grid, method: str, values: Floats, printed: Floats | None = None) -> Surface:
    nothing = np.full(grid.shape, np.nan)
    status = np.full(grid.shape, "ok")
    return Surface(grid, "train", method, values, nothing if printed is None else printed, status)


def _split(title: str, seed: int) -> SplitReport:
    rng = np.random.default_rng(seed)
    bins = tuple(np.geomspace(0.01, 1, 9).tolist())
    spreads = tuple(
        ErrorSpread(name, 2, 40, (0.02, 0.1, 0.2 + i, 0.4, 0.9), (0.125,) * 8)
        for i, name in enumerate(METHODS[:2])
    )
    galleries = tuple(
        Gallery(name, 0, "0123456789abcdef", tuple(make(rng, i) for i in range(3)))
        for name, make in zip(METHODS[:2], (_frame, _pictured_frame), strict=True)
    )
    names = (MARKUP, *"bcdef")
    edges = ((0, 1), (1, 2), (3, 4), (4, 5))
    return SplitReport(title, "e3d@1 (ratio)", "m", bins, spreads, galleries, names, edges, 6)


def _frame(rng: np.random.Generator, i: int) -> ComparedFrame:
    truth = rng.normal(size=(6, 3))
    predicted = truth + 0.1 * (i + 1) * rng.normal(size=(6, 3))
    hidden, counts = np.arange(6) == i, np.arange(6) < 5
    return ComparedFrame(FRAME_RANKS[i], 7 + i, 2, 0.1 * (i + 1), predicted, truth, hidden, counts)


def _pictured_frame(rng: np.random.Generator, i: int) -> ComparedFrame:
    """The frame of a student that looks at pictures."""
    pixels = rng.integers(0, 256, (20, 20, 3), dtype=np.uint8)
    picture = FramePicture(pixels, rng.uniform(0, 20, (6, 2)))
    return replace(_frame(rng, i), picture=picture, teacher=_frame(rng, i))


def _meshes(method: str) -> MeshGallery:
    """Two views of a tetrahedron."""
    rng = np.random.default_rng(len(method))
    faces = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]])
    frames = tuple(
        MeshFrame(
            7 + i,
            0.9 - 0.2 * i,
            rng.integers(0, 256, (20, 20, 3), dtype=np.uint8),
            rng.uniform(0, 20, (6, 2)),
            np.arange(6) > i,
            rng.uniform(3, 17, (4, 3)),
            rng.integers(0, 256, (4, 3), dtype=np.uint8),
        )
        for i in range(2)
    )
    return MeshGallery(f"one {MARKUP}", "miou@2 (ratio)", method, 0, "0123456789", faces, frames)


def _curve(method: str, seed: int) -> TrainingCurve:
    return TrainingCurve(method, seed, tuple((10 * i, 1.0 / (1 + i + seed)) for i in range(20)))
