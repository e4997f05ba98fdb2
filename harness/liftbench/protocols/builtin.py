"""The built-in protocols: the ones that the papers use whose numbers we compare with ours."""

from __future__ import annotations

from liftbench.protocols.protocol import Protocol

BUILTIN_PROTOCOLS = (
    Protocol(
        "e3d",
        "relative_norm",
        "per frame: centred, scaled to the truth's Frobenius norm, best orthogonal alignment "
        "(reflection allowed), ‖S_gt - S‖_F / ‖S_gt‖_F; mean over frames (PR-RRN, eq. 19)",
        align="orthogonal",
        scale="norm",
    ),
    Protocol(
        "e3d_akhter",
        "mean_distance",
        "each along its body's axes where the truth has its cameras, lengths over the truth's mean "
        "row spread (ddof 1), centred, one orthogonal alignment for each sequence, mean point "
        "distance (Akhter et al.; Dai et al.)",
        version=2,
        axes="body",
        spread_unit=True,
        align="orthogonal",
        align_over="sequence",
    ),
    Protocol(
        "frobenius_flip",
        "relative_norm",
        "centred, no scale, no alignment, flipped in depth where that is better, "
        "‖S_gt - S‖_F / ‖S_gt‖_F; mean over frames (Lee, Cho, Oh on the classical sequences)",
        depth_flip=True,
    ),
    Protocol("mpjpe", "mean_distance", "centred, no scale, no alignment, mean point distance"),
    Protocol(
        "mpjpe_scale",
        "mean_distance",
        "centred, scaled to the truth's Frobenius norm, mean point distance",
        scale="norm",
    ),
    Protocol(
        "mpjpe_scale_flip",
        "mean_distance",
        "centred, scaled to the truth's Frobenius norm, flipped in depth where that is better, "
        "mean point distance (Deep NRSfM++, section 5)",
        scale="norm",
        depth_flip=True,
    ),
    Protocol(
        "mpjpe_flip",
        "mean_distance",
        "centred, flipped in depth where that is better, mean point distance",
        depth_flip=True,
    ),
    Protocol(
        "pa_mpjpe",
        "mean_distance",
        "best similarity without reflection a frame, mean point distance",
        align="rotation",
        scale="least_squares",
    ),
    Protocol("stress", "stress", "mean difference of pairwise distances, no scale", centre="none"),
    Protocol(
        "depth_error",
        "mean_depth_distance",
        "root points aligned, mean distance along z",
        centre="root",
    ),
    Protocol(
        "runtime_network",
        "network_time",
        "milliseconds of the network for one picture, mean of 20 runs (To The Point, Table 5)",
    ),
    Protocol(
        "runtime_optimisation",
        "optimisation_time",
        "milliseconds of the optimisation of pose and shape for one picture, mean of 20 runs (To "
        "The Point, Table 5)",
    ),
    Protocol(
        "runtime_total",
        "network_and_optimisation_time",
        "milliseconds of network and optimisation for one picture, mean of 20 runs; it leaves out "
        "reading the picture and colouring the mesh (To The Point, Table 5)",
    ),
    Protocol(
        "image_error",
        "mean_image_distance",
        "root points aligned, no scale, mean distance along x and y",
        centre="root",
    ),
    Protocol(
        "c3dpo_up3d",
        "mean_distance",
        "mean depth removed, flipped in depth where that is better, no scale, no alignment, mean "
        "point distance; mean over frames (C3DPO on UP-3D; Deep NRSfM++, Table 3a)",
        centre="depth",
        depth_flip=True,
    ),
    Protocol(
        "c3dpo_pascal3d",
        "mean_distance",
        "mean depth of the category's points removed, flipped in depth where that is better, no "
        "scale, no alignment, mean point distance; mean over categories (C3DPO on PASCAL3D+; Deep "
        "NRSfM++, Table 3b-c)",
        centre="depth",
        depth_flip=True,
        mean="groups",
    ),
    Protocol(
        "c3dpo_h36m",
        "mean_distance",
        "root points aligned, flipped in depth where that is better, no scale, no alignment, mean "
        "point distance; mean over actions (C3DPO on H3.6M)",
        centre="root",
        depth_flip=True,
        mean="groups",
    ),
    Protocol(
        "stress_groups",
        "stress",
        "mean difference of pairwise distances, no scale; mean over categories or actions (C3DPO "
        "on PASCAL3D+ and H3.6M)",
        centre="none",
        mean="groups",
    ),
    Protocol(
        "kd_mpjpe",
        "mean_distance",
        "a whole fit mirrored in depth if that is better, root points aligned, scaled to the "
        "truth's mean bone length, mean point distance (KD, sections 5.1, 5.2)",
        version=2,
        mirror_fit=True,
        centre="root",
        scale="bones",
    ),
    Protocol(
        "kd_pa_mpjpe",
        "mean_distance",
        "a whole fit mirrored in depth if that is better, scaled to the truth's mean bone length, "
        "best rotation a frame, mean point distance (KD, sections 5.1, 5.2)",
        version=2,
        mirror_fit=True,
        align="rotation",
        scale="bones",
    ),
    Protocol(
        "kd_depth_error",
        "mean_depth_distance",
        "a whole fit mirrored in depth if that is better, root points aligned, scaled to the "
        "truth's mean bone length, mean distance along z (KD, section 5.2)",
        version=2,
        mirror_fit=True,
        centre="root",
        scale="bones",
    ),
    Protocol(
        "mirrored_frames",
        "closer_mirrored",
        "a whole fit mirrored in depth if that is better, then the percentage of frames that are "
        "closer to the truth if they alone are mirrored, root points aligned, scaled to the "
        "truth's mean bone length",
        mirror_fit=True,
        centre="root",
        scale="bones",
    ),
    Protocol(
        "pck",
        "correct_keypoints",
        "percentage of visible key points reprojected within a tenth of the box's longer edge, "
        "those of lifters about their observed mean; mean over frames (CMR; To The Point, Table 1)",
        centre="none",
    ),
    Protocol(
        "miou",
        "mask_overlap",
        "intersection over union of the reconstruction's mask, the pixels whose middle its mesh "
        "covers, and the true one; mean over frames (CMR; To The Point, Table 1)",
        version=2,
        centre="none",
    ),
    Protocol(
        "iou3d",
        "volume_overlap",
        "intersection over union of canonical volumes on a grid of 32 voxels an edge; mean over "
        "frames (To The Point, Table 4)",
        centre="none",
    ),
    Protocol(
        "wrong_rotations",
        "wrong_rotations",
        "percentage of frames whose rotation from the template's frame is more than 60 degrees "
        "wrong",
        centre="none",
    ),
    Protocol(
        "vertex_error",
        "vertex_distances",
        "mean distance of the canonical mesh's vertices from the true ones after the best "
        "similarity, over the root mean square distance of the true vertices from their mean; mean "
        "over frames",
        centre="none",
    ),
)
