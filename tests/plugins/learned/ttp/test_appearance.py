"""Distances of pictures against loops, with small trunks and made-up files of weights."""

from __future__ import annotations

import importlib.machinery
from pathlib import Path

import pytest
import torch
from tests.plugins.learned.conftest import draw
from torch import Tensor

from liftbench_plugins.learned.pictures.backbones import EfficientNetLite0, normalise
from liftbench_plugins.learned.ttp import appearance
from liftbench_plugins.learned.ttp.appearance import (
    AlexNet,
    FeatureDistance,
    colour_distance,
    make_distance,
)

B, SIZE = 3, 8


def pictures(seed: int = 0, size: int = SIZE) -> Tensor:
    return draw(B, 3, size, size, seed=seed).float().sigmoid()


def masks() -> Tensor:
    inside = torch.zeros(B, SIZE, SIZE)
    inside[:, 2:6] = 1
    inside[1, :, :3] = 1
    inside[2] = 0
    return inside


def test_colours_are_compared_inside_the_mask_at_three_scales() -> None:
    one, two, inside = pictures(), pictures(1), masks()
    found = colour_distance(one, two, inside)
    for item in range(B):
        total = 0.0
        for edge in (1, 2, 4):
            error, weight = 0.0, 0.0
            for row in range(0, SIZE, edge):
                for column in range(0, SIZE, edge):
                    place = (
                        item,
                        slice(None),
                        slice(row, row + edge),
                        slice(column, column + edge),
                    )
                    gap = (one[place] - two[place]) * inside[item][place[2:]]
                    error += float(gap.mean(dim=(1, 2)).abs().mean())
                    weight += float(inside[item][place[2:]].mean())
            total += error / max(weight, 1)
        assert float(found[item]) == pytest.approx(total / 3, rel=1e-5)
    assert float(found[2]) == 0


@pytest.mark.parametrize("weighted", [False, True])
def test_features_are_compared_by_direction_in_every_pixel(weighted: bool) -> None:
    def trunk(seen: Tensor) -> list[Tensor]:
        return [seen[:, :2], 3 * seen[:, :, ::2, ::2]]

    heads = [torch.tensor([0.5, 2.0]), torch.tensor([1.0, 0.0, 3.0])] if weighted else None
    one, two, inside = pictures(), pictures(1), masks()
    found = FeatureDistance(trunk, heads)(one, two, inside)
    before, after = (trunk(normalise(part * inside[:, None])) for part in (one, two))
    for item in range(B):
        total = 0.0
        for number, (first, second) in enumerate(zip(before, after, strict=True)):
            cells = []
            for row in range(first.shape[2]):
                for column in range(first.shape[3]):
                    a, b = first[item, :, row, column], second[item, :, row, column]
                    gap = (a / a.norm() - b / b.norm()).square()
                    cells.append(float((gap if heads is None else gap * heads[number]).sum()))
            total += sum(cells) / len(cells)
        assert float(found[item]) == pytest.approx(total, rel=1e-4)
    assert float(found[2]) == 0


def test_lite0_shows_the_map_of_every_stage_and_ends_with_its_features() -> None:
    network = EfficientNetLite0().eval()
    seen = normalise(pictures(size=64))
    maps = network.maps(seen)
    assert [tuple(part.shape[1:]) for part in maps] == [
        (16, 32, 32),
        (24, 16, 16),
        (40, 8, 8),
        (80, 4, 4),
        (112, 4, 4),
        (192, 2, 2),
        (320, 2, 2),
    ]
    torch.testing.assert_close(maps[-1], network(seen))


def save_weights(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, list[Tensor]]:
    """Write files named and shaped as those of torchvision and lpips."""
    state = {key: 0.05 * draw(*part.shape).float() for key, part in AlexNet().state_dict().items()}
    trunk = folder / "alexnet.pth"
    torch.save({**state, "classifier.1.weight": torch.ones(2)}, trunk)
    heads = [draw(channels, seed=channels).abs().float() for channels in (64, 192, 384, 256, 256)]
    package = folder / "lpips" / "weights" / "v0.1"
    package.mkdir(parents=True)
    named = {f"lin{n}.model.1.weight": head.view(1, -1, 1, 1) for n, head in enumerate(heads)}
    torch.save(named, package / "alex.pth")
    spec = importlib.machinery.ModuleSpec("lpips", None, is_package=True)
    spec.submodule_search_locations = [str(folder / "lpips")]
    monkeypatch.setattr(appearance, "find_spec", lambda _: spec)
    return trunk, heads


def test_lpips_has_the_weights_of_both_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trunk, heads = save_weights(tmp_path, monkeypatch)
    one, two, inside = pictures(size=64), pictures(1, size=64), torch.ones(B, 64, 64)
    network = AlexNet()
    network.load_state_dict(
        {key: value for key, value in torch.load(trunk).items() if key.startswith("features")}
    )
    found = make_distance(str(trunk))(one, two, inside)
    torch.testing.assert_close(found, FeatureDistance(network, heads)(one, two, inside))
    assert (found > 0).all()
    one.requires_grad_()
    make_distance(str(trunk))(one, two, inside).sum().backward()  # type: ignore[no-untyped-call]
    assert one.grad is not None


def test_alexnet_has_the_names_and_maps_of_torchvisions() -> None:
    network = AlexNet()
    assert set(network.state_dict()) == {
        f"features.{number}.{part}" for number in (0, 3, 6, 8, 10) for part in ("weight", "bias")
    }
    maps = network(pictures(size=64))
    assert [tuple(part.shape[1:]) for part in maps] == [
        (64, 15, 15),
        (192, 7, 7),
        (384, 3, 3),
        (256, 3, 3),
        (256, 3, 3),
    ]


def test_a_file_of_other_weights_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_weights(tmp_path, monkeypatch)
    torch.save({"features.0.weight": torch.ones(3)}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match=r"other\.pth: expected weights features\.0\.weight"):
        make_distance(str(tmp_path / "other.pth"))


def test_lpips_without_its_package_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trunk, _ = save_weights(tmp_path, monkeypatch)
    monkeypatch.setattr(appearance, "find_spec", lambda _: None)
    with pytest.raises(ImportError, match="pip install --no-deps lpips"):
        make_distance(str(trunk))


def test_colours_need_no_weights() -> None:
    assert make_distance("") is colour_distance
