"""The style of figures and their files: PNG for pages, SVG or PDF for papers."""

from __future__ import annotations

import io
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

# Okabe and Ito's colours, which colour-blind readers can distinguish, without yellow.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
# Settings of all figures. Names of plugins may hold dollars, which must not start mathematics.
STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.parse_math": False,
}
# With these settings, the same numbers give the same bytes.
_SAME_BYTES: dict[Any, Any] = {"svg.hashsalt": "liftbench", "svg.fonttype": "none"}
_METADATA: dict[str, dict[str, None]] = {
    "png": {"Software": None},
    "svg": {"Date": None},
    "pdf": {"CreationDate": None, "Producer": None, "Creator": None},
}
DRAWING = ("png", "svg")
"""The files of a figure of lines and text."""
PICTURES = ("png", "pdf")
"""The files of a figure that shows pictures."""


def figure_files(figure: Figure, endings: tuple[str, ...] = DRAWING) -> dict[str, bytes]:
    """Return the contents of the files of a figure, by file ending."""
    files = {}
    with mpl.rc_context(_SAME_BYTES):
        for ending in endings:
            stream = io.BytesIO()
            figure.savefig(stream, format=ending, dpi=150, metadata=_METADATA[ending])
            files[ending] = stream.getvalue()
    return files
