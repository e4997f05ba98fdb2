"""The NRSfM Challenge adapter on small objects that the test writes in the form of the release."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.datasets.conftest import truth_of
from tests.datasets.nrsfm_challenge.conftest import (
    FRAMES,
    POINTS,
    load,
    shapes,
    visibility,
    write_object,
)

from liftbench.errors import DataMissingError, UserError
from liftbench.suites.suite import make_params
from liftbench_datasets.nrsfm_challenge import adapter as nrsfm_challenge
from liftbench_datasets.nrsfm_challenge.adapter import (
    CAMERAS,
    NRSFM_CHALLENGE,
    OBJECTS,
    PATHS,
    NrsfmChallenge,
)


def test_each_path_is_a_sequence_and_a_group(root: Path) -> None:
    data = load(root)
    assert data.observations.points_2d.shape == (6 * FRAMES, POINTS, 2)
    assert data.observations.sequence.tolist() == np.repeat([1, 2, 3, 4, 5, 6], FRAMES).tolist()
    assert truth_of(data).group.tolist() == np.repeat(PATHS, FRAMES).tolist()
    assert truth_of(data).unit == "mm"
    only = load(root, path="line")
    assert set(only.observations.sequence.tolist()) == {3}
    np.testing.assert_array_equal(
        only.observations.points_2d, data.observations.points_2d[2 * FRAMES : 3 * FRAMES]
    )


@pytest.mark.parametrize("call", ["checksum", "note", "load"])
def test_an_absent_object_is_reported(root: Path, call: str) -> None:
    args = (root, "tearing", "all") if call == "load" else (root, "tearing")
    with pytest.raises(
        DataMissingError, match="see 'liftbench data info nrsfm_challenge'"
    ) as caught:
        getattr(NrsfmChallenge(camera="perspective"), call)(*args)
    expected = "nrsfm_challenge/tearing/sequence/perspective/circle.txt"
    assert str(root / expected) in str(caught.value)


def test_unknown_names_are_reported(root: Path) -> None:
    with pytest.raises(UserError, match="did you mean 'balloon'"):
        NrsfmChallenge().load(root, "baloon", "all")
    with pytest.raises(UserError, match="unknown split 'train'"):
        NrsfmChallenge().load(root, "balloon", "train")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"camera": "weak_perspective"}, "dataset 'it': camera: "),
        ({"path": "loop"}, "dataset 'it': path: "),
        ({"missing": "often"}, "dataset 'it': missing: "),
    ],
)
def test_params_are_checked(params: dict[str, object], message: str) -> None:
    with pytest.raises(UserError) as caught:
        make_params("dataset 'it'", NRSFM_CHALLENGE.params, params)
    assert str(caught.value).startswith(message)
    with pytest.raises(ValueError, match=message.split("'")[2].strip(": ")):
        NrsfmChallenge(**params)


def test_the_note_says_what_lacks(tmp_path: Path) -> None:
    write_object(tmp_path / "balloon", paths=("circle", "line"))
    assert NrsfmChallenge().note(tmp_path, "balloon") == (
        "without flyby, semi_circle, tricky, zigzag; truth in 2 of 18 frames"
    )
    assert NrsfmChallenge(path="line").note(tmp_path, "balloon") == "truth in 1 of 9 frames"


def test_check_lists_every_object_and_camera(root: Path) -> None:
    findings = {finding.item: finding for finding in NrsfmChallenge().check(root)}
    assert set(findings) == {f"{name} {camera}" for name in OBJECTS for camera in CAMERAS}
    assert {item for item, finding in findings.items() if finding.ok} == {
        "balloon orthographic",
        "balloon perspective",
    }
    shown = np.concatenate([*map(visibility, PATHS)]).mean()
    assert re.fullmatch(
        rf"6 paths, 54 frames, 12 points, {shown:.0%} visible, truth in 6 frames, "
        r"which it fits to \de-\d+ of the extent".replace(r"\de", r"\d\.\de"),
        findings["balloon perspective"].detail,
    )


def test_check_of_nothing(tmp_path: Path) -> None:
    (finding,) = NrsfmChallenge().check(tmp_path)
    assert not finding.ok
    assert "see 'liftbench data info nrsfm_challenge'" in finding.detail


def change_visibility(folder: Path) -> None:
    shown = np.repeat(~visibility("circle"), 2, axis=0)
    np.savetxt(folder / "visibility/orthogonal/circle.txt", shown, fmt="%d")


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "sequence/orthogonal/line.txt").unlink(),
        lambda folder: np.savetxt(folder / "gt_frame_9.txt", shapes()[8].T),
        change_visibility,
    ],
    ids=["tracks", "truth", "visibility"],
)
def test_the_checksum_sees_every_change(root: Path, change: Callable[[Path], object]) -> None:
    before = [NrsfmChallenge(missing=m).checksum(root, "balloon") for m in (False, True)]
    assert before[0] != before[1]
    change(root / "nrsfm_challenge/balloon/balloon")
    after = [NrsfmChallenge(missing=m).checksum(root, "balloon") for m in (False, True)]
    assert after[1] != before[1]
    assert (after[0] == before[0]) == (change is change_visibility)


def test_a_second_load_does_not_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(root)
    monkeypatch.setattr(nrsfm_challenge, "read_sources", None)
    np.testing.assert_array_equal(load(root).observations.points_2d, first.observations.points_2d)
