"""The car models of ApolloCar3D: their names, and their meshes from files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liftbench.types import Floats
from liftbench_datasets.reading.array_fields import finite_field
from liftbench_datasets.reading.array_pickle import read_pickle
from liftbench_datasets.reading.one_line_errors import one_line_errors

# The name at index i belongs to car_id i. Source: car_models.py of the release's dataset-api.
NAMES = (
    *("baojun-310-2017", "biaozhi-3008", "biaozhi-liangxiang", "bieke-yinglang-XT"),
    *("biyadi-2x-F0", "changanbenben", "dongfeng-DS5", "feiyate", "fengtian-liangxiang"),
    *("fengtian-MPV", "jilixiongmao-2015", "lingmu-aotuo-2009", "lingmu-swift"),
    *("lingmu-SX4-2012", "sikeda-jingrui", "fengtian-weichi-2006", "037-CAR02", "aodi-a6"),
    *("baoma-330", "baoma-530", "baoshijie-paoche", "bentian-fengfan", "biaozhi-408"),
    *("biaozhi-508", "bieke-kaiyue", "fute", "haima-3", "kaidilake-CTS", "leikesasi"),
    *("mazida-6-2015", "MG-GT-2015", "oubao", "qiya", "rongwei-750", "supai-2016"),
    *("xiandai-suonata", "yiqi-benteng-b50", "bieke", "biyadi-F3", "biyadi-qin", "dazhong"),
    *("dazhongmaiteng", "dihao-EV", "dongfeng-xuetielong-C6", "dongnan-V3-lingyue-2011"),
    *("dongfeng-yulong-naruijie", "019-SUV", "036-CAR01", "aodi-Q7-SUV", "baojun-510"),
    *("baoma-X5", "baoshijie-kayan", "beiqi-huansu-H3", "benchi-GLK-300", "benchi-ML500"),
    *("fengtian-puladuo-06", "fengtian-SUV-gai", "guangqi-chuanqi-GS4-2015"),
    *("jianghuai-ruifeng-S3", "jili-boyue", "jipu-3", "linken-SUV", "lufeng-X8"),
    *("qirui-ruihu", "rongwei-RX5", "sanling-oulande", "sikeda-SUV", "Skoda_Fabia-2011"),
    *("xiandai-i25-2016", "yingfeinidi-qx80", "yingfeinidi-SUV", "benchi-SUR", "biyadi-tang"),
    *("changan-CS35-2012", "changan-cs5", "changcheng-H6-2016", "dazhong-SUV"),
    *("dongfeng-fengguang-S560", "dongfeng-fengxing-SX6"),
)

_FILES = ("car_models_json/{}.json", "car_models/{}.json", "car_models/{}.pkl")
_EXPECTED = "a car model with 'vertices' and 'faces'"


@dataclass(frozen=True)
class CarModel:
    """A mesh in metres: x to the car's right, y down, z forward.

    Attributes:
        vertices: (V, 3).
        faces: (T, 3) indices of vertices, from 0.
    """

    vertices: Floats
    faces: NDArray[np.int64]


def model_files(folder: Path) -> dict[int, Path]:
    """Return the file of each car_id whose model is found below the dataset's folder."""
    found = {}
    for car_id, name in enumerate(NAMES):
        places = (folder / place.format(name) for place in _FILES)
        if path := next((place for place in places if place.is_file()), None):
            found[car_id] = path
    return found


def read_model(path: Path) -> CarModel:
    """Read a model from a .json file or from the older .pkl.

    Raises:
        DataMissingError: the file is not found.
        UserError: it is damaged.
    """
    with one_line_errors(path, _EXPECTED):
        stored = read_pickle(path, _EXPECTED) if path.suffix == ".pkl" else _read_json(path)
        vertices = finite_field(stored["vertices"], "vertices", (None, 3))
        faces = finite_field(stored["faces"], "faces", (None, 3))
        if len(vertices) == 0 or not np.ptp(vertices, axis=0).all():
            raise ValueError("'vertices' lie in a plane")
        if len(faces) == 0 or (faces != faces.round()).any():
            raise ValueError("'faces' are not integers")
        if faces.min() < 1 or faces.max() > len(vertices):
            raise ValueError(f"'faces' are not all within 1..{len(vertices)}")
        return CarModel(vertices, faces.astype(np.int64) - 1)


def _read_json(path: Path) -> Any:  # noqa: ANN401 whatever the file holds
    return json.loads(path.read_bytes())
