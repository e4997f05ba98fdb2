"""The places of the files of CUB-200-2011 and of CMR."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_RELEASE = ("CUB_200_2011", "cub_200_2011", "cub/CUB_200_2011", "")
_CMR = ("cub_cmr", "cub_ttp", "cub", "cachedir/cub", "")


@dataclass(frozen=True)
class Files:
    """The paths of the files, whether or not they exist.

    Attributes:
        release: folder of CUB-200-2011.
        cmr: folders that may hold CMR's files.
    """

    release: Path
    cmr: tuple[Path, ...]

    @property
    def parts(self) -> Path:
        """The file of the 2D points."""
        return self.release / "parts" / "part_locs.txt"

    @property
    def boxes(self) -> Path:
        """The file of the bounding boxes."""
        return self.release / "bounding_boxes.txt"

    @property
    def names(self) -> Path:
        """The file with the paths of the images."""
        return self.release / "images.txt"

    @property
    def flags(self) -> Path:
        """The file with the release's split."""
        return self.release / "train_test_split.txt"

    def annotations(self, split: str) -> Path:
        """Return the file of CMR's annotations of a split."""
        return self._cmr("data", f"{split}_cub_cleaned.mat")

    def sfm(self, split: str) -> Path:
        """Return the file of CMR's structure from motion of a split."""
        return self._cmr("sfm", f"anno_{split}.mat")

    @property
    def template(self) -> Path:
        """The file of the mean shape."""
        return self._cmr("uv", "bird.obj")

    def sources(self, split: str) -> list[Path]:
        """Return the files that exist of those that a split is read from."""
        matlab = (self.annotations(split), self.sfm(split), self.sfm("testval"))
        return [
            path
            for path in (self.parts, self.boxes, self.names, self.flags, *matlab)
            if path.is_file()
        ]

    def _cmr(self, below: str, name: str) -> Path:
        places = [folder / part / name for folder in self.cmr for part in (below, "")]
        return next((place for place in places if place.is_file()), places[0])


def find_files(root: Path) -> Files:
    """Return the paths of the files below the data root."""
    releases = [root / below for below in _RELEASE]
    found = (folder for folder in releases if (folder / "parts" / "part_locs.txt").is_file())
    return Files(next(found, releases[0]), tuple(root / below for below in _CMR))
