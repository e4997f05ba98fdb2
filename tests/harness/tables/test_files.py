"""Files of a leaderboard beside its runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from liftbench.tables import leaderboard_page, to_csv, to_markdown, write_leaderboard

if TYPE_CHECKING:
    from tests.harness.tables.conftest import Board


def test_files_beside_the_runs(board: Board) -> None:
    board.add("ours", 0.25, 0.75, environment={"python": "3.11"})
    board.add("other", 0.5, environment={"python": "3.12"})
    made = board.make()
    write_leaderboard(made, board.store)
    folder = board.store.folder
    assert (folder / "leaderboard.csv").read_text(encoding="utf-8") == to_csv(made)
    text = to_markdown(leaderboard_page(made))
    assert (folder / "leaderboard.md").read_text(encoding="utf-8") == text
    environments = json.loads((folder / "environment.json").read_text(encoding="utf-8"))
    assert sorted((e["python"], e["runs"]) for e in environments) == [("3.11", 2), ("3.12", 1)]
