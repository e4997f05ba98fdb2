"""Datasets that have one file per subset: everything except how a file is read."""

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
        key: the key of the dataset.
        suffix: the suffix of the files, with its dot, or a tuple of possible suffixes.
        splits: the splits that `read` can return.
    """

    key: ClassVar[str]
    suffix: ClassVar[str | tuple[str, ...]]
    splits: ClassVar[tuple[str, ...]]

    @abstractmethod
    def read(self, path: Path, split: str) -> Dataset:
        """Return a split of a file; raise ValueError if the file is damaged."""

    def folder(self, root: Path) -> Path:
        """Return the folder of the files."""
        return root / self.key

    def subsets(self, root: Path) -> tuple[str, ...]:
        """Return the names of the files, without their suffix."""
        return tuple(sorted({name for _, name in self._files(root)}))

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
            reason = " ".join(str(error).split())
            raise UserError(f"{path}: {reason}; mend or remove the file") from error

    def note(self, root: Path, subset: str) -> str:
        """Return an empty string: no paper uses these files."""
        self._file(root, subset)
        return ""

    def check(self, root: Path) -> list[Finding]:
        """Read every file and return a finding for each."""
        subsets = self.subsets(root)
        if not subsets:
            return [Finding("files", False, str(self._absent(root, "<subset>")))]
        return [self._check(root, subset) for subset in subsets]

    def describe(self, root: Path, subset: str) -> str:
        """Return the text of `check` for an intact file: the number of frames of each split."""
        frames = [self.load(root, subset, split).observations.frames for split in self.splits]
        counts = (f"{count} {split}" for count, split in zip(frames, self.splits, strict=True))
        return f"frames: {', '.join(counts)}"

    def _check(self, root: Path, subset: str) -> Finding:
        try:
            return Finding(subset, True, self.describe(root, subset))
        except UserError as error:
            return Finding(subset, False, str(error))

    def _files(self, root: Path) -> list[tuple[Path, str]]:
        """Return the files and the names of their subsets."""
        paths = sorted(self.folder(root).glob("*"))
        named = (
            (path, path.name.removesuffix(suffix))
            for path in paths
            for suffix in self._suffixes()
            if path.name.endswith(suffix)
        )
        return [(path, name) for path, name in named if name]

    def _file(self, root: Path, subset: str) -> Path:
        found = [path for path, name in self._files(root) if name == subset]
        if not found:
            raise self._absent(root, subset)
        if len(found) > 1:
            names = " and ".join(path.name for path in found)
            raise UserError(f"{found[0].parent}: {names} have one name; rename one of them")
        return found[0]

    def _suffixes(self) -> tuple[str, ...]:
        return (self.suffix,) if isinstance(self.suffix, str) else self.suffix

    def _absent(self, root: Path, subset: str) -> DataMissingError:
        names = " and ".join(f"{subset}{suffix}" for suffix in self._suffixes())
        return DataMissingError(
            f"{self.key}: looked for {self.folder(root)}/{names}; "
            f"see 'liftbench data info {self.key}'"
        )
