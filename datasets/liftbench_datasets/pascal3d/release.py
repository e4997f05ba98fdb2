"""The places of the files of a PASCAL3D+ release, and its lists of images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from liftbench.errors import DataMissingError
from liftbench_datasets.pascal3d.categories import CATEGORIES
from liftbench_datasets.reading.one_line_errors import one_line_errors

Source = Literal["imagenet", "pascal"]
SOURCES: tuple[Source, ...] = get_args(Source)
Part = Literal["train", "val"]
PARTS: tuple[Part, ...] = get_args(Part)
SEE = "see 'liftbench data info pascal3d'"

_BELOW_ROOT = (
    "pascal3d",
    "pascal3d/PASCAL3D+_release1.1",
    "PASCAL3D+_release1.1",
    "",
)
_VOC_LISTS = "PASCAL/VOCdevkit/VOC2012/ImageSets/Main"
_SUFFIX = {"imagenet": ".JPEG", "pascal": ".jpg"}


@dataclass(frozen=True)
class Release:
    """The files of a release below its folder."""

    folder: Path

    def cad(self, category: str) -> Path:
        """Return the file of a category's CAD models."""
        return self.folder / "CAD" / f"{category}.mat"

    def image_list(self, category: str, source: Source, part: Part) -> Path:
        """Return the file that lists the images of a category."""
        if source == "imagenet":
            return self.folder / "Image_sets" / f"{category}_imagenet_{part}.txt"
        return self.folder / _VOC_LISTS / f"{category}_{part}.txt"

    def image_names(self, category: str, source: Source, part: Part) -> list[str]:
        """Return the names of the images of a list, such as `car_pascal/2008_000028`, each once.

        Raises:
            DataMissingError: the list is not found.
            UserError: it is not a list of images.
        """
        path = self.image_list(category, source, part)
        with one_line_errors(path, f"the list of {source} images of '{category}', {SEE}"):
            lines = path.read_text(encoding="ascii").splitlines()
            names = [_image(line, at) for at, line in enumerate(lines, start=1) if line.strip()]
        return list(dict.fromkeys(f"{category}_{source}/{name}" for name in names if name))

    def annotations(self, category: str, source: Source, part: Part) -> dict[str, Path]:
        """Return the annotation file of each listed image that has one.

        Raises:
            DataMissingError: the list is not found.
            UserError: it is not a list of images.
        """
        folder = self.folder / "Annotations"
        images = self.image_names(category, source, part)
        files = {image: folder / f"{image}.mat" for image in images}
        return {image: path for image, path in files.items() if path.is_file()}

    def picture(self, image: str) -> Path:
        """Return the file of an image."""
        source = image.partition("/")[0].rpartition("_")[2]
        return self.folder / "Images" / f"{image}{_SUFFIX[source]}"

    def mask(self, image: str, number: int) -> Path:
        """Return the file of the mask of an object of an image, by its number from 1."""
        return self.folder / "Masks" / f"{image}_{number}.png"

    def masks(self, category: str, source: Source) -> list[Path]:
        """Return all files of masks of a category that are there."""
        return sorted((self.folder / "Masks" / f"{category}_{source}").glob("*.png"))

    def detections(self) -> Path:
        """Return the user's file of detected keypoints.

        Raises:
            DataMissingError: it is not found.
        """
        path = self.folder / "hrnet.json"
        if not path.is_file():
            raise DataMissingError(f"{path}: not found, expected detected keypoints; {SEE}")
        return path

    def categories(self) -> tuple[str, ...]:
        """Return the categories whose CAD models are found."""
        return tuple(c for c in CATEGORIES if self.cad(c).is_file())

    def has_annotations(self, category: str) -> bool:
        """Return whether a folder of annotations of a category is found."""
        return any((self.folder / "Annotations" / f"{category}_{s}").is_dir() for s in SOURCES)


def find_release(root: Path) -> Release:
    """Return the release at the usual places below the data root.

    Raises:
        DataMissingError: there is none.
    """
    for below in _BELOW_ROOT:
        release = Release(root / below)
        if release.categories():
            return release
    raise DataMissingError(f"pascal3d: no CAD/<category>.mat in {root / _BELOW_ROOT[0]}; {SEE}")


def _image(line: str, at: int) -> str:
    """Return the name in a line, or "" where VOC's -1 says that the image lacks the category."""
    name, *label = line.split()
    if label not in ([], ["1"], ["0"], ["-1"]) or not name.replace("_", "").isalnum():
        raise ValueError(f"line {at}: expected an image's name, then 1, 0 or -1 in VOC's lists")
    return "" if label == ["-1"] else name
