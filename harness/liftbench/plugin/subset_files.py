"""Datasets that have a file for each subset: all but the reading of one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from liftbench.errors import DataMissingError, UserError, require_known
from liftbench.files import checksum
from liftbench.plugin.specs import Finding
from liftbench.types import Dataset


class SubsetFiles(ABC):
    """An adapter of the files DATA_ROOT/<key>/<subset><suffix>.

    Attributes:
        key: of the dataset.
        suffix: of the files, with its dot.
        splits: that `read` can return.
    """

    key: ClassVar[str]
    suffix: ClassVar[str]
    splits: ClassVar[tuple[str, ...]]

    @abstractmethod
    def read(self, path: Path, split: str) -> Dataset:
        """Return a split of a file; a ValueError says that the file is damaged."""

    def subsets(self, root: Path) -> tuple[str, ...]:
        """Return the names of the files, without their ending."""
        files = (root / self.key).glob(f"*{self.suffix}")
        return tuple(sorted(path.name.removesuffix(self.suffix) for path in files))

    def checksum(self, root: Path, subset: str) -> str:
        """Return the SHA-256 of the file."""
        return checksum([self._file(root, subset)])

    def load(self, root: Path, subset: str, split: str) -> Dataset:
        """Return a split of a file."""
        path = self._file(root, subset)
        require_known(f"split of dataset '{self.key}'", split, self.splits)
        try:
            return self.read(path, split)
        except (OSError, ValueError) as error:
            told = " ".join(str(error).split())
            raise UserError(f"{path}: {told}; mend the file or take it away") from error

    def note(self, root: Path, subset: str) -> str:
        """Return nothing: no paper has these files."""
        self._file(root, subset)
        return ""

    def check(self, root: Path) -> list[Finding]:
        """Read every file and return what it holds."""
        subsets = self.subsets(root)
        if not subsets:
            return [Finding("files", False, str(self._absent(root, "<subset>")))]
        return [self._check(root, subset) for subset in subsets]

    def _check(self, root: Path, subset: str) -> Finding:
        try:
            frames = [self.load(root, subset, split).observations.frames for split in self.splits]
        except UserError as error:
            return Finding(subset, False, str(error))
        told = (f"{count} {split}" for count, split in zip(frames, self.splits, strict=True))
        return Finding(subset, True, f"frames: {', '.join(told)}")

    def _file(self, root: Path, subset: str) -> Path:
        if subset not in self.subsets(root):
            raise self._absent(root, subset)
        return root / self.key / f"{subset}{self.suffix}"

    def _absent(self, root: Path, subset: str) -> DataMissingError:
        return DataMissingError(
            f"{self.key}: looked for {root / self.key / subset}{self.suffix}; "
            f"see 'liftbench data info {self.key}'"
        )
