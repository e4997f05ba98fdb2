"""Leaderboards: our numbers beside the numbers that papers print."""

from liftbench.tables.as_csv import to_csv, verdicts_to_csv
from liftbench.tables.as_html import to_html
from liftbench.tables.as_latex import to_latex
from liftbench.tables.as_markdown import to_markdown
from liftbench.tables.board import Entry, Leaderboard, Line, Position, Section
from liftbench.tables.files import environments, write_leaderboard
from liftbench.tables.gathering import make_leaderboard
from liftbench.tables.leaderboard_page import leaderboard_page
from liftbench.tables.overview import overview
from liftbench.tables.printed_page import printed_page

__all__ = [
    "Entry",
    "Leaderboard",
    "Line",
    "Position",
    "Section",
    "environments",
    "leaderboard_page",
    "make_leaderboard",
    "overview",
    "printed_page",
    "to_csv",
    "to_html",
    "to_latex",
    "to_markdown",
    "verdicts_to_csv",
    "write_leaderboard",
]
