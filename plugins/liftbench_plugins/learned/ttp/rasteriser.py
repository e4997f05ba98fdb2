"""Which triangle of a mesh each pixel shows, and which vertices are seen; batched, in torch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_MOST_PAIRS = 1 << 21  # of triangles and pixels at once, which bounds memory
_NOTHING = torch.iinfo(torch.int64).max
_SLOPE = 2.5  # pixels by which a surface that is still visible may come nearer within a pixel


@dataclass(frozen=True, eq=False)
class Fragments:
    """The nearest triangle at the middle of each pixel of B images.

    Attributes:
        face: (B, H, W), -1 where there is none.
        weights: (B, H, W, 3), barycentric weights of its corners, 0 where there is none.
    """

    face: Tensor
    weights: Tensor

    @property
    def covered(self) -> Tensor:
        """The pixels (B, H, W) that the mesh covers."""
        return self.face >= 0

    def interpolate(self, values: Tensor, faces: Tensor) -> Tensor:
        """Return values of vertices (B, V, D) at the pixels (B, H, W, D), 0 where there is none."""
        corners = faces[self.face.clamp_min(0)]
        item = torch.arange(len(values), device=values.device).view(-1, 1, 1, 1)
        return (self.weights[..., None] * values[item, corners]).sum(dim=3)


def rasterise(vertices: Tensor, faces: Tensor, height: int, width: int) -> Fragments:
    """Return what B images of a closed mesh show.

    The weights carry gradients to the vertices; which triangle is nearest does not.

    Args:
        vertices: (B, V, 3); x and y in pixels from the upper left corner, where the middle of the
            first pixel is at 0.5; z points away from the camera.
        faces: (T, 3) indices, counter-clockwise as seen from outside the mesh.
        height: of the images.
        width: of the images.
    """
    corners = vertices[:, faces]
    with torch.no_grad():
        nearest = _nearest(corners.detach(), height, width)
    face = torch.where(nearest == _NOTHING, -1, nearest & 0xFFFFFFFF).view(-1, height, width)
    seen = face >= 0
    item, row, column = seen.nonzero(as_tuple=True)
    weights = corners.new_zeros(*face.shape, 3)
    middle = torch.stack([column, row], dim=1).to(corners) + 0.5
    weights = weights.index_put(
        (item, row, column), _barycentric(corners[item, face[seen], :, :2], middle)
    )
    return Fragments(face, weights)


@torch.no_grad()
def visible_vertices(vertices: Tensor, faces: Tensor, fragments: Fragments) -> Tensor:
    """Return which vertices (B, V) are seen: they lie in the image, and nothing lies before them.

    One of the triangles of a seen vertex faces the camera, and its pixel shows nothing that is
    clearly nearer. So small triangles count, which are nearest at the middle of no pixel.

    Args:
        vertices: as in `rasterise`.
        faces: as in `rasterise`.
        fragments: what `rasterise` returns of them.
    """
    item, face = facing(vertices[:, faces]).nonzero(as_tuple=True)
    faced = torch.zeros(vertices.shape[:2], dtype=torch.bool, device=vertices.device)
    faced[item[:, None], faces[face]] = True
    height, width = fragments.face.shape[1:]
    place = vertices[..., :2].floor()
    inside = ((place >= 0) & (place < place.new_tensor([width, height]))).all(dim=2)
    column, row = torch.where(inside[..., None], place, 0).long().unbind(dim=2)
    depth = fragments.interpolate(vertices[..., 2:], faces)[..., 0]
    image = torch.arange(len(vertices), device=vertices.device)[:, None]
    before = fragments.covered[image, row, column]
    before &= depth[image, row, column] + _SLOPE < vertices[..., 2]
    return faced & inside & ~before


def facing(corners: Tensor) -> Tensor:
    """Return which triangles (..., 3, 3) show their outer side; y points down in images."""
    one, two = (corners[..., k, :2] - corners[..., 0, :2] for k in (1, 2))
    return one[..., 0] * two[..., 1] < one[..., 1] * two[..., 0]


def _nearest(corners: Tensor, height: int, width: int) -> Tensor:
    """Return depth and number (B H W,) of the nearest triangle in one integer.

    The depth is in the upper half of the integer, so that the least integer is the nearest one.
    """
    best = torch.full((len(corners) * height * width,), _NOTHING, device=corners.device)
    item, face = facing(corners).nonzero(as_tuple=True)
    corners = corners[item, face]
    low, size = _boxes(corners[..., :2], height, width)
    counts = size.prod(dim=1)
    for part in _parts(counts):
        pair = torch.repeat_interleave(part, counts[part])
        first = (counts[part].cumsum(0) - counts[part]).repeat_interleave(counts[part])
        within = torch.arange(len(pair), device=pair.device) - first
        column = low[pair, 0] + within % size[pair, 0]
        row = low[pair, 1] + within // size[pair, 0]
        weights = _barycentric(
            corners[pair, :, :2], torch.stack([column, row], 1).to(corners) + 0.5
        )
        depth = (weights * corners[pair, :, 2]).sum(dim=1)
        inside = (weights >= 0).all(dim=1)
        pixel = (item[pair] * height + row) * width + column
        key = (_order_bits(depth) << 32) | face[pair]
        best.scatter_reduce_(0, pixel[inside], key[inside], "amin")
    return best


def _parts(counts: Tensor) -> list[Tensor]:
    """Return the triangles in groups that have a bounded number of pixels together."""
    group = counts.cumsum(0) // _MOST_PAIRS
    _, sizes = torch.unique_consecutive(group, return_counts=True)
    return list(torch.split(torch.arange(len(counts), device=counts.device), sizes.tolist()))


def _boxes(corners: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Return the first column and row (N, 2) of pixels in boxes of triangles, and their numbers."""
    # Far outside, numbers are too large for integers.
    edge = corners.new_tensor([width, height])
    low = (corners.amin(dim=1) - 0.5).ceil().clamp_min(0).minimum(edge)
    high = (corners.amax(dim=1) - 0.5).floor().clamp_min(-1).minimum(edge - 1)
    low, high = low.to(torch.int64), high.to(torch.int64)
    return low, (high - low + 1).clamp_min(0)


def _barycentric(corners: Tensor, points: Tensor) -> Tensor:
    """Return the weights (N, 3) of corners (N, 3, 2) at points (N, 2) of the image."""
    one, two = (corners[:, k] - corners[:, 0] for k in (1, 2))
    away = points - corners[:, 0]
    area = _cross(one, two)
    along, across = _cross(away, two) / area, _cross(one, away) / area
    return torch.stack([1 - along - across, along, across], dim=1)


def _cross(one: Tensor, two: Tensor) -> Tensor:
    return one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]


def _order_bits(depth: Tensor) -> Tensor:
    """Return integers in the order of numbers of single precision."""
    bits = depth.float().view(torch.int32).to(torch.int64)
    return torch.where(bits < 0, bits ^ 0x7FFFFFFF, bits)
