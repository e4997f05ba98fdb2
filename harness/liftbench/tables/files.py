"""Writes the files of a leaderboard beside its runs."""

from __future__ import annotations

import json
from collections import Counter

from liftbench.files import write_atomic
from liftbench.runs.store import Store
from liftbench.tables.as_csv import to_csv
from liftbench.tables.as_markdown import to_markdown
from liftbench.tables.board import Leaderboard
from liftbench.tables.leaderboard_page import leaderboard_page


def write_leaderboard(board: Leaderboard, store: Store) -> None:
    """Write leaderboard.csv, leaderboard.md and environment.json into the store's folder."""
    write_atomic(store.folder / "leaderboard.csv", to_csv(board).encode())
    write_atomic(store.folder / "leaderboard.md", to_markdown(leaderboard_page(board)).encode())
    text = json.dumps(environments(store), indent=1)
    write_atomic(store.folder / "environment.json", f"{text}\n".encode())


def environments(store: Store) -> list[dict[str, object]]:
    """Return each environment of the stored runs once, with the number of its runs."""
    counts = Counter(json.dumps(r.environment, sort_keys=True) for r in store.records())
    return [{**json.loads(text), "runs": count} for text, count in counts.items()]
