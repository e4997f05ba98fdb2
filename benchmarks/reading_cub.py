"""Print how long it takes to read the 11 788 entries of CUB.

python benchmarks/reading_cub.py DATA_ROOT
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from liftbench_datasets.cub.adapter import SPLITS, Cub
from liftbench_datasets.cub.files import Files, find_files
from liftbench_datasets.cub.release import read_boxes, read_parts
from stopwatch import wall_seconds


def main(root: Path) -> None:
    """Time the text files of the release, then all splits without and with a cache."""
    seconds = wall_seconds(lambda: _read_release(find_files(root)))
    print(f"parts and boxes         {seconds:6.2f} s")
    with tempfile.TemporaryDirectory() as cache:
        os.environ["LIFTBENCH_CACHE"] = cache
        print(f"all splits, cold        {wall_seconds(lambda: _load(root)):6.2f} s")
        print(f"all splits, from cache  {wall_seconds(lambda: _load(root)):6.2f} s")


def _read_release(files: Files) -> None:
    read_parts(files.parts)
    read_boxes(files.boxes)


def _load(root: Path) -> None:
    for split in SPLITS:
        Cub().load(root, "all", split)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python benchmarks/reading_cub.py DATA_ROOT")
    main(Path(sys.argv[1]))
