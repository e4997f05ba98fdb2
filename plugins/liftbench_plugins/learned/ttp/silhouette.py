"""A mask of a mesh with soft edges, through which gradients reach the contour."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from liftbench_plugins.learned.ttp.rasteriser import Fragments, facing

_REACH = 5.0  # in softnesses, beyond which a pixel is wholly inside or outside
_OUTSIDE = 0.75  # pixels from an edge to the place that says whether it bounds the mask
_MOST_PAIRS = 1 << 21
_CANDIDATES, _FAR = 4, 1e6


@dataclass(frozen=True, eq=False)
class Edges:
    """The edges of a closed mesh.

    Attributes:
        ends: (E, 2) indices of vertices.
        sides: (E, 2) indices of the two triangles.
    """

    ends: Tensor
    sides: Tensor

    def to(self, device: str) -> Edges:
        """Return the edges on a device."""
        return Edges(self.ends.to(device), self.sides.to(device))


def find_edges(faces: Tensor) -> Edges:
    """Return the edges of a closed mesh of triangles (T, 3).

    Raises:
        ValueError: an edge does not have exactly two triangles.
    """
    ends = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).sort(dim=1).values
    each, number, counts = torch.unique(ends, dim=0, return_inverse=True, return_counts=True)
    if not bool((counts == 2).all()):
        a, b = each[counts != 2][0].tolist()
        what = "is open" if int(counts[counts != 2][0]) == 1 else "is not a manifold"
        raise ValueError(
            f"the mesh {what}: the edge of vertices {a} and {b} must have two triangles; close it"
        )
    face = torch.arange(len(faces), device=faces.device).repeat(3)
    return Edges(each, face[number.argsort(stable=True)].view(-1, 2))


def soft_silhouette(
    vertices: Tensor, faces: Tensor, edges: Edges, fragments: Fragments, softness: float
) -> Tensor:
    """Return masks (B, H, W) from 0 to 1, which are 1/2 on the contour.

    Each pixel near the contour has the logistic function of its signed distance from the nearest
    piece of contour, over the softness. A large softness gives far pixels a gradient, as early
    training needs.

    Args:
        vertices: (B, V, 3) in pixels, see `rasterise`.
        faces: (T, 3).
        edges: of the faces.
        fragments: of the vertices.
        softness: in pixels.
    """
    covered = fragments.covered
    mask = covered.to(vertices.dtype)
    item, row, column = _near_contour(covered, softness).nonzero(as_tuple=True)
    if not len(item):
        return mask
    ends, exists = _contour(vertices, faces, edges, covered)
    has = exists.any(dim=1)[item]
    item, row, column = item[has], row[has], column[has]
    point = torch.stack([column, row], dim=1).to(vertices) + 0.5
    with torch.no_grad():
        nearest = _nearest(point, item, ends.detach(), exists)
    distance = _distance(point, ends[item, nearest])
    sign = torch.where(covered[item, row, column], 1, -1)
    return mask.index_put((item, row, column), torch.sigmoid(sign * distance / softness))


def _near_contour(covered: Tensor, softness: float) -> Tensor:
    """Return the pixels (B, H, W) whose mask is soft; all where the mesh covers none."""
    reach = int(_REACH * softness) + 1
    mask = covered[:, None].float()
    grown = max_pool2d(mask, 2 * reach + 1, stride=1, padding=reach)
    shrunk = -max_pool2d(-mask, 2 * reach + 1, stride=1, padding=reach)
    empty = ~covered.flatten(1).any(dim=1)[:, None, None]
    near: Tensor = (grown > shrunk)[:, 0] | empty
    return near


def _contour(
    vertices: Tensor, faces: Tensor, edges: Edges, covered: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the ends (B, C, 2, 2) of the edges that bound the masks, and which exist (B, C)."""
    front = facing(vertices.detach()[:, faces])[:, edges.sides]
    item, edge = (front[..., 0] != front[..., 1]).nonzero(as_tuple=True)
    inner = edges.sides[edge].gather(1, front[item, edge].long().argmax(dim=1, keepdim=True))[:, 0]
    bounds = ~_covered_beyond(vertices.detach(), faces, edges, covered, item, edge, inner)
    item, edge = item[bounds], edge[bounds]
    place = torch.arange(len(item), device=item.device)
    counts = torch.bincount(item, minlength=len(vertices))
    place = place - (counts.cumsum(0) - counts)[item]
    most = max(1, int(counts.max()))
    ends = vertices.new_zeros(len(vertices), most, 2, 2)
    ends = ends.index_put((item, place), vertices[item[:, None], edges.ends[edge], :2])
    return ends, torch.arange(most, device=item.device) < counts[:, None]


def _covered_beyond(
    vertices: Tensor,
    faces: Tensor,
    edges: Edges,
    covered: Tensor,
    item: Tensor,
    edge: Tensor,
    inner: Tensor,
) -> Tensor:
    """Return which edges (N,) have another part of the mesh just outside of them."""
    height, width = covered.shape[1:]
    one, two = vertices[item[:, None], edges.ends[edge], :2].unbind(dim=1)
    middle, along = (one + two) / 2, two - one
    normal = torch.stack([-along[:, 1], along[:, 0]], dim=1)
    centre = vertices[item[:, None], faces[inner], :2].mean(dim=1)
    away = torch.where((normal * (middle - centre)).sum(1, keepdim=True) < 0, -normal, normal)
    length = torch.linalg.vector_norm(away, dim=1, keepdim=True).clamp_min(1e-12)
    column, row = (middle + _OUTSIDE * away / length).floor().unbind(dim=1)
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    column, row = column.clamp(0, width - 1).long(), row.clamp(0, height - 1).long()
    beyond: Tensor = inside & covered[item, row, column]
    return beyond


def _nearest(point: Tensor, item: Tensor, ends: Tensor, exists: Tensor) -> Tensor:
    """Return the number (N,) of the piece of contour that is nearest to each point.

    It is among the few whose middle is nearest, as pieces are about as long as each other.
    """
    most = min(_CANDIDATES, ends.shape[1])
    # All points in rows of their image, so that one product gives the distances from all middles.
    counts = torch.bincount(item, minlength=len(ends))
    place = torch.arange(len(item), device=item.device) - (counts.cumsum(0) - counts)[item]
    rows = point.new_zeros(len(ends), int(counts.max()), 2)
    rows[item, place] = point
    far = ~exists[..., None] * _FAR
    step = max(1, _MOST_PAIRS // (len(ends) * ends.shape[1]))
    parts = [torch.cdist(part, ends.mean(dim=2) + far) for part in torch.split(rows, step, dim=1)]
    near = torch.cat([part.topk(most, dim=2, largest=False).indices for part in parts], dim=1)
    chosen = near[item, place]
    exact = _distance(point[:, None], ends[item[:, None], chosen])
    exact = exact.masked_fill(~exists[item[:, None], chosen], torch.inf)
    return chosen.gather(1, exact.argmin(dim=1, keepdim=True))[:, 0]


def _distance(point: Tensor, ends: Tensor) -> Tensor:
    """Return the distances (...) of points (..., 2) from pieces of line (..., 2, 2)."""
    first, along = ends[..., 0, :], ends[..., 1, :] - ends[..., 0, :]
    away = point - first
    share = (away * along).sum(-1) / along.square().sum(-1).clamp_min(1e-12)
    gap = away - share.clamp(0, 1)[..., None] * along
    return (gap.square().sum(-1) + 1e-12).sqrt()
