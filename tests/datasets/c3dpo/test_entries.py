"""The reader of C3DPO's JSON files: their forms, and damage of them."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.datasets.c3dpo.conftest import Entry, h36m, load, pascal, plain, write

from liftbench.errors import UserError
from liftbench_datasets.c3dpo.adapter import C3dpoJson


def test_a_list_without_a_name_is_read_too(tmp_path: Path) -> None:
    path = write(tmp_path, "mine_val", [])
    path.write_text(json.dumps(plain()), encoding="utf-8")
    assert C3dpoJson().load(tmp_path, "mine", "val").observations.frames == 3


def test_one_row_of_visibility_is_read_too(tmp_path: Path) -> None:
    flat = load(tmp_path, plain()).observations.visible
    entries = plain()
    for entry in entries:
        entry["kp_vis"] = [entry["kp_vis"]]
    np.testing.assert_array_equal(load(tmp_path, entries).observations.visible, flat)


def change(name: str, value: Any) -> Callable[[Entry], None]:
    def apply(entry: Entry) -> None:
        *place, last = name.split(".")
        for key in place:
            entry = entry[key]
        entry[last] = value

    return apply


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (change("kp_loc", [[1, 2]]), r"entry 1: kp_loc: expected numbers of shape \(2, any\)"),
        (change("kp_loc", [[1, 2], [1]]), "entry 1: kp_loc: .* rows of unequal length"),
        (change("kp_loc", [["a"] * 5] * 2), "entry 1: kp_loc: expected numbers .* got other"),
        (change("kp_loc", None), "entry 1: kp_loc: expected numbers"),
        (change("kp_vis", [1, 1]), r"entry 1: kp_vis: .* shape \(5\), got shape \(2\)"),
        (change("kp_loc_3d", [[1] * 5] * 2), r"entry 1: kp_loc_3d: .*\(3, 5\), got shape \(2, 5\)"),
        (change("class_mask", [1] * 4), r"entry 1: class_mask: .*\(5\), got shape \(4\)"),
        (change("p3d_info.bbox", [1, 1, -1, 1]), "entry 1: p3d_info.bbox: .* negative size"),
        (change("p3d_info.bbox", [1, 1, float("nan"), 1]), "entry 1: p3d_info.bbox: .* finite"),
        (
            change("p3d_info.p3d_class", 3),
            "entry 1: p3d_info.p3d_class: expected a list of 1 text",
        ),
        (change("image_path", "x" * 10**6), "entry 1: image_path: expected texts of at most 200"),
        (change("kp_defined", None), "entry 1: kp_defined: expected in all entries or in none"),
        (change("kp_loc", [[float("inf")] * 5] * 2), "entry 1: kp_loc: point 2 is not finite"),
        (lambda entry: entry.update(plain(1, 4)[0]), "entry 1: "),
    ],
)
def test_damage_names_the_entry_and_the_field(
    tmp_path: Path, damage: Callable[[Entry], None], message: str
) -> None:
    entries = pascal()
    damage(entries[1])
    with pytest.raises(UserError, match=message) as caught:
        load(tmp_path, entries)
    assert "\n" not in str(caught.value)


LEAVES: st.SearchStrategy[Any] = st.sampled_from(
    [None, "x", -1, 10**30, float("nan"), float("inf"), [], [[]], {}, True, [[1], [2, 3]], "9" * 50]
)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_any_damage_is_one_line(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    entries = copy.deepcopy(data.draw(st.sampled_from([pascal(), h36m()])))
    for _ in range(data.draw(st.integers(0, 2))):
        place: Any = data.draw(st.sampled_from(entries))
        key = data.draw(st.sampled_from(sorted(place)))
        place[key] = data.draw(LEAVES)
    folder = tmp_path_factory.mktemp("damaged")
    path = write(folder, "mine_val", entries)
    text = path.read_bytes()
    start = data.draw(st.integers(0, len(text)))
    path.write_bytes(text[:start] + data.draw(st.binary(max_size=3)) + text[start:][::-1][:9])
    try:
        C3dpoJson().load(folder, "mine", "val")
    except UserError as error:
        message = str(error)
    else:
        return
    assert message.startswith(f"{path}: ")
    assert "\n" not in message


def test_a_field_of_a_later_entry_alone_is_refused(tmp_path: Path) -> None:
    entries = plain()
    entries[1]["class_mask"] = [1] * 5
    with pytest.raises(UserError, match="entry 1: class_mask: expected in all entries or in none"):
        load(tmp_path, entries)
