"""To The Point: from pictures to meshes by correspondences (Kokkinos, Kokkinos, NeurIPS 2021).

This module does not import torch, so that listing plugins is quick; `PoseDeformation`, the layer,
is loaded when it is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import partial
from typing import TYPE_CHECKING, Any, get_args

from liftbench import Capabilities, Conformance, Method, MethodSpec
from liftbench.plugin.param_checks import require_not_negative, require_one_of, require_positive
from liftbench.plugin.specs import Lesson
from liftbench_plugins.learned import OptimiserName
from liftbench_plugins.learned.pictures import STRIDE, BackboneName

if TYPE_CHECKING:
    from liftbench_plugins.learned.ttp.layer.pose_deformation import PoseDeformation

__all__ = ["VARIANTS", "LossWeights", "PoseDeformation", "TtpParams"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 as of a module
    if name == "PoseDeformation":
        from liftbench_plugins.learned.ttp.layer.pose_deformation import PoseDeformation

        return PoseDeformation
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@dataclass(frozen=True, kw_only=True)
class LossWeights:
    """The weights of the losses of section 3.4; 0 leaves a loss out.

    The paper gives no weights; these are the authors' settings, on means over vertices and pixels.
    That of the mask is larger (theirs is 2): it was chosen on generated birds of another seed than
    those of the suites.

    Attributes:
        consistency: of the distance of positions outside the mask from it.
        coverage: of the distance of places in the mask from the nearest position.
        mask: of the difference of the rendered mask from the true one.
        cycle: of the squared distance of positions from the projected vertices.
        keypoints: of the distance of projected key points from the annotated ones.
        visibility: of the difference of predicted visibility from that of the z-buffer.
        texture: of the difference of the picture from the mesh with the colours at the positions.
        equivariance: of the change of positions that do not move with a changed picture.
        turn: of the angle by which the pose in a changed picture differs.
        rigidity: of the distance of shapes from locally rigid ones (ARAP).
        basis_rigidity: the same of each basis shape.
        deformation: of the squared distance of shapes from the template.
        guessed_view: of the distance of positions from those of a view that is guessed from the
            mask, at first; it falls to 0 over the first 30 % of the steps. The paper has none.
    """

    consistency: float = 3.0
    coverage: float = 3.0
    mask: float = 60.0
    cycle: float = 3.0
    keypoints: float = 30.0
    visibility: float = 1.0
    texture: float = 1.0
    equivariance: float = 1.0
    turn: float = 0.1
    rigidity: float = 3.0
    basis_rigidity: float = 0.1
    deformation: float = 5.0
    guessed_view: float = 0.0

    def __post_init__(self) -> None:
        for weight in fields(LossWeights):
            require_not_negative(weight.name, getattr(self, weight.name))


_POSITIVE = (
    *("iterations", "batch_size", "learning_rate", "basis_pace"),
    *("width", "image_size", "softness"),
)
_NOT_NEGATIVE = ("basis", "modes", "rigid_steps", "steps", "rotation", "scale", "shift", "colour")


@dataclass(frozen=True, kw_only=True)
class TtpParams(LossWeights):
    """The network and its training: a recipe for CPUs.

    Attributes:
        basis: K, number of basis shapes; 0 fits poses alone.
        modes: number of smooth waves on the template, of which basis shapes and positions in the
            picture are combined; 0 lets every vertex move freely, as in the paper.
        iterations: turns of pose and deformation (section 3.2).
        rigid_steps: optimisation steps without deformation, which come first.
        steps: optimisation steps with deformation.
        batch_size: frames per step, of which a step sees two changed versions each.
        optimiser: `muon` for matrices, with Adam for the rest, or `adam` for all, as in the paper.
        learning_rate: of the first step; it falls along a cosine.
        basis_pace: how much faster than the network basis shapes change.
        backbone: turns pictures into features.
        width: factor of the channels of the backbone.
        weights: path of public weights of the backbone at width 1, `package` for those of
            EfficientNet-Lite0 in the extra `images`, or empty for random ones.
        appearance: what compares textured meshes with pictures: empty for colours at three scales,
            `package` for features of EfficientNet-Lite0, or the path of torchvision's weights of
            AlexNet for LPIPS, as in the paper; see `make_distance`.
        image_size: edge of a picture in pixels, a multiple of 32.
        farthest_guess: the largest angle of guessed views from the template's front, in degrees.
        softness: of rendered masks, in pixels; at first four times as much, which falls over the
            first tenth of the steps.
        flip: share of pictures that are mirrored left to right.
        rotation: standard deviation of the angle by which pictures are turned, in degrees; twice
            as much is the largest.
        scale: the same of the factor of a picture's size, about 1.
        shift: the same of its shift, as a share of its edge.
        colour: the same of the factors of the three colours.
    """

    basis: int = 16
    modes: int = 32
    iterations: int = 4
    rigid_steps: int = 200
    steps: int = 3_200
    batch_size: int = 12
    optimiser: OptimiserName = "muon"
    learning_rate: float = 3e-3
    basis_pace: float = 10.0
    backbone: BackboneName = "resnet18"
    width: float = 0.5
    weights: str = ""
    appearance: str = ""
    image_size: int = 64
    farthest_guess: float = 180.0
    softness: float = 0.5
    flip: float = 0.5
    rotation: float = 15.0
    scale: float = 0.1
    shift: float = 0.05
    colour: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in _POSITIVE:
            require_positive(name, getattr(self, name))
        for name in _NOT_NEGATIVE:
            require_not_negative(name, getattr(self, name))
        require_one_of("optimiser", self.optimiser, get_args(OptimiserName))
        require_one_of("backbone", self.backbone, get_args(BackboneName))
        if self.image_size % STRIDE:
            raise ValueError(
                f"image_size: expected a multiple of {STRIDE} pixels, got {self.image_size}"
            )
        if not 0 <= self.flip <= 1:
            raise ValueError(f"flip: expected a share of pictures from 0 to 1, got {self.flip}")
        if not 0 <= self.farthest_guess <= 180:
            raise ValueError(
                f"farthest_guess: expected 0 to 180 degrees, got {self.farthest_guess:g}"
            )
        if self.scale >= 0.5 or self.colour >= 0.5:
            raise ValueError("scale, colour: expected less than 0.5, so that no factor reaches 0")


@dataclass(frozen=True, kw_only=True)
class TtpPublishedParams(TtpParams):
    """The recipe of the paper, for GPUs (sections 3 and 4).

    What the paper leaves open is as the authors set it. Steps are 100 epochs of CUB's 5 964
    pictures without deformation, and 100 with it. The scale of a pose is not theirs (see
    `affine_scale`), and textures are compared as `appearance` says.
    """

    modes: int = 0
    rigid_steps: int = 74_500
    steps: int = 74_500
    batch_size: int = 8
    optimiser: OptimiserName = "adam"
    learning_rate: float = 1e-4
    basis_pace: float = 100.0
    mask: float = 2.0
    width: float = 1.0
    image_size: int = 256
    rotation: float = 20.0
    scale: float = 0.12
    shift: float = 0.075


@dataclass(frozen=True, kw_only=True)
class TtpMasksPublishedParams(TtpPublishedParams):
    """The recipe of the paper without key points."""

    keypoints: float = 0.0


@dataclass(frozen=True, kw_only=True)
class TtpMasksParams(TtpParams):
    """The defaults without key points."""

    keypoints: float = 0.0


@dataclass(frozen=True, kw_only=True)
class TtpViewsParams(TtpMasksParams):
    """The defaults without key points, with guessed views.

    Nobody says from which side a picture was taken, but animals are mostly photographed from their
    side or from before, so views from behind are not guessed.
    """

    guessed_view: float = 10.0
    farthest_guess: float = 90.0


@dataclass(frozen=True, kw_only=True)
class TtpRigidParams(TtpParams):
    """The defaults without deformation."""

    basis: int = 0


@dataclass(frozen=True, kw_only=True)
class TtpRigidMasksParams(TtpMasksParams):
    """The defaults with neither key points nor deformation."""

    basis: int = 0


def _make(params: type[TtpParams], **given: Any) -> Method:  # noqa: ANN401 the fields of params
    from liftbench_plugins.learned.ttp.lifter import ToThePoint

    return ToThePoint(params(**given))


def _variant(
    key: str, title: str, params: type[TtpParams], learns_from: tuple[Lesson, ...]
) -> MethodSpec:
    return MethodSpec(
        key=key,
        title=title,
        reference="Kokkinos, Kokkinos, To The Point: Correspondence-driven monocular 3D category "
        "reconstruction, NeurIPS 2021",
        make=partial(_make, params),
        params=params,
        capabilities=Capabilities(
            cameras=("orthographic", "weak_perspective"),
            missing_points=True,
            images=True,
            learns_from=learns_from,
            needs_template=True,
        ),
        conformance=Conformance(
            {"rigid_steps": 2, "steps": 2, "batch_size": 2, "width": 0.05, "image_size": 32}
        ),
    )


VARIANTS = (
    _variant("ttp", "To The Point", TtpParams, ("keypoints", "masks")),
    _variant("ttp_masks", "To The Point without key points", TtpMasksParams, ("masks",)),
    _variant(
        "ttp_views",
        "To The Point without key points, with guessed front and side views (camera hypotheses)",
        TtpViewsParams,
        ("masks",),
    ),
    _variant(
        "ttp_rigid", "To The Point without deformation", TtpRigidParams, ("keypoints", "masks")
    ),
    _variant(
        "ttp_rigid_masks",
        "To The Point with neither key points nor deformation",
        TtpRigidMasksParams,
        ("masks",),
    ),
    _variant(
        "ttp_published",
        "To The Point, recipe of the paper",
        TtpPublishedParams,
        ("keypoints", "masks"),
    ),
    _variant(
        "ttp_masks_published",
        "To The Point without key points, recipe of the paper",
        TtpMasksPublishedParams,
        ("masks",),
    ),
)
