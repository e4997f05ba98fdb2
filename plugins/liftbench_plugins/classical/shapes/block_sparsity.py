"""Dictionaries of shapes: each frame combines few atoms, and cameras are known (block K-SVD)."""

from __future__ import annotations

import numpy as np

from liftbench.types import Bools, Floats

_SWEEPS = 20
# Share of the mean energy of atoms in the images; it keeps the weights of two atoms that look alike
# finite.
_RIDGE = 1e-10


def learn_atoms(image: Floats, rotation: Floats, start: Floats, active: int) -> Floats:
    """Return atoms (K, P, 3) that explain images if few atoms are active in each frame.

    Each sweep finds codes by matching pursuit; then it finds, atom by atom, the best atom and
    weights for the frames that use it (Aharon, Elad, Bruckstein, K-SVD, IEEE Trans. Signal
    Processing 2006, with a block c_f R_f in place of a column).

    Args:
        image: (F, P, 2), centred.
        rotation: (F, 3, 3), body to camera.
        start: first atoms, (K, P, 3).
        active: number of active atoms per frame.
    """
    cameras = rotation[:, :2].swapaxes(1, 2)
    atoms = start.copy()
    for _ in range(_SWEEPS):
        codes = sparse_codes(image, rotation, atoms, active)
        rest = image - np.einsum("fk,kpc->fpc", codes, atoms) @ cameras
        for k, used in enumerate(codes.T != 0):
            if used.any():
                own = rest[used] + codes[used, k, None, None] * (atoms[k] @ cameras[used])
                atoms[k], codes[used, k] = _best_atom(own, cameras[used], codes[used, k])
                rest[used] = own - codes[used, k, None, None] * (atoms[k] @ cameras[used])
    return atoms


def sparse_codes(image: Floats, rotation: Floats, atoms: Floats, active: int) -> Floats:
    """Return the weights (F, K) of atoms by matching pursuit; `active` per frame are not zero.

    The next atom is the one that explains most of the residual; then all weights are solved again
    (Eldar, Kuppinger, Bolcskei, Block-sparse signals, IEEE Trans. Signal Processing 2010).

    Args:
        image: (F, P, 2), centred.
        rotation: (F, 3, 3), body to camera.
        atoms: (K, P, 3).
        active: number of active atoms per frame.
    """
    seen = np.einsum("kpc,fac->fkpa", atoms, rotation[:, :2]).reshape(len(image), len(atoms), -1)
    grams = seen @ seen.swapaxes(1, 2)
    goals = np.einsum("fkn,fn->fk", seen, image.reshape(len(image), -1))
    energy = np.einsum("fkk->fk", grams) + _RIDGE * np.trace(grams, axis1=1, axis2=2).mean()
    codes: Floats = np.zeros_like(goals)
    chosen = np.zeros(goals.shape, dtype=np.bool_)
    for _ in range(min(active, len(atoms))):
        left = goals - np.einsum("fkl,fl->fk", grams, codes)
        gain = np.where(chosen, -np.inf, left**2 / energy)
        chosen[np.arange(len(image)), gain.argmax(axis=1)] = True
        codes = _solve_codes(grams, goals, chosen)
    return codes


def _solve_codes(grams: Floats, goals: Floats, chosen: Bools) -> Floats:
    """Return the least-squares weights (F, K) of the chosen atoms, and zero for all others.

    Args:
        grams: inner products of atoms in each image, (F, K, K).
        goals: inner products of atoms with the image, (F, K).
        chosen: which atoms are active, (F, K).
    """
    both = chosen[:, :, None] & chosen[:, None, :]
    unit = np.eye(goals.shape[1])
    ridge = _RIDGE * np.trace(grams, axis1=1, axis2=2)[:, None, None]
    system = np.where(both, grams + ridge * unit, unit)
    weights: Floats = np.linalg.solve(system, np.where(chosen, goals, 0.0)[..., None])[..., 0]
    return weights


def _best_atom(image: Floats, cameras: Floats, codes: Floats) -> tuple[Floats, Floats]:
    """Return the best atom (P, 3) for the given weights, and the best weights (F,) for this atom.

    Args:
        image: the part of the images that the atom explains, (F, P, 2).
        cameras: (F, 3, 2).
        codes: first weights, (F,).
    """
    blocks = codes[:, None, None] * cameras
    normal = np.einsum("fca,fda->cd", blocks, blocks)
    # A single frame does not determine depth: the pseudo-inverse gives the smallest atom.
    atom = np.einsum("fpa,fca->pc", image, blocks) @ np.linalg.pinv(normal, hermitian=True)
    seen = atom @ cameras
    energy = np.einsum("fpa,fpa->f", seen, seen)
    weights = np.einsum("fpa,fpa->f", image, seen)
    return atom, np.divide(weights, energy, out=codes.copy(), where=energy > 0)
