"""The four cameras of Human3.6M: pinholes with distortion, whose places differ by subject."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from liftbench.types import Floats

# Squared distance from the optical axis on the unit focal plane, well beyond the corners of the
# image. The polynomial was fitted inside the image and soon after this radius is not invertible.
_RIM = 0.75
# Fixed-point steps; each shrinks the error at least threefold.
_UNDISTORT_STEPS = 25


@dataclass(frozen=True, eq=False)
class Lens:
    """Projection from a camera's unit focal plane to its pixels, with distortion.

    Beyond a radius far outside the image the distortion stays constant, so that every pixel has a
    point on the plane.

    Source: the release's projection with radial and tangential distortion.

    Attributes:
        focal: (2,) pixels.
        centre: (2,) pixels.
        radial: (3,) coefficients of r^2, r^4 and r^6.
        tangential: (2,) coefficients of x and y, in this order.
    """

    focal: Floats
    centre: Floats
    radial: Floats
    tangential: Floats

    def pixels(self, plane: Floats) -> Floats:
        """Return the pixels (..., 2) of points on the unit focal plane."""
        scale, shift = self._distortion(plane)
        pixels: Floats = self.focal * (plane * scale + shift) + self.centre
        return pixels

    def plane(self, pixels: Floats) -> Floats:
        """Return the undistorted points on the unit focal plane (..., 2) of pixels."""
        distorted = (pixels - self.centre) / self.focal
        plane = distorted
        for _ in range(_UNDISTORT_STEPS):
            scale, shift = self._distortion(plane)
            plane = (distorted - shift) / scale
        return plane

    def _distortion(self, plane: Floats) -> tuple[Floats, Floats]:
        """Return the distortion of points on the plane: a factor (..., 1) and a shift (..., 2)."""
        squared = np.minimum((plane**2).sum(axis=-1, keepdims=True), _RIM)
        powers = squared ** np.arange(1, 4)
        radial = powers @ self.radial[:, None]
        along = plane @ self.tangential[:, None]
        return 1 + radial + along, squared * self.tangential


@dataclass(frozen=True, eq=False)
class Place:
    """Position and orientation of a camera.

    Attributes:
        rotation: (3, 3) from the world's frame to the camera's.
        position: (3,) in the world's frame, mm.
    """

    rotation: Floats
    position: Floats

    def views(self, world: Floats) -> Floats:
        """Return world points (..., 3) in the camera's frame."""
        views: Floats = (world - self.position) @ self.rotation.T
        return views


def _lens(*numbers: float) -> Lens:
    return Lens(*np.split(np.array(numbers), [2, 4, 7]))


# Calibration of the release (w0 of its metadata.xml) as VideoPose3D prints it: focal lengths,
# centre, radial and tangential distortion; the same for all subjects. The numbers agree with those
# that other readers of metadata.xml print.
LENSES = {
    "54138969": _lens(
        *(1145.0494384765625, 1143.7811279296875, 512.54150390625, 515.4514770507812),
        *(-0.20709891617298126, 0.24777518212795258, -0.0030751503072679043),
        *(-0.0009756988729350269, -0.00142447161488235),
    ),
    "55011271": _lens(
        *(1149.6756591796875, 1147.5916748046875, 508.8486328125, 508.0649108886719),
        *(-0.1942136287689209, 0.2404085397720337, 0.006819975562393665),
        *(-0.0016190266469493508, -0.0027408944442868233),
    ),
    "58860488": _lens(
        *(1149.1407470703125, 1148.7989501953125, 519.8158569335938, 501.40264892578125),
        *(-0.2083381861448288, 0.25548800826072693, -0.0024604974314570427),
        *(0.0014843869721516967, -0.0007599993259645998),
    ),
    "60457274": _lens(
        *(1145.5113525390625, 1144.77392578125, 514.9682006835938, 501.88201904296875),
        *(-0.198384091258049, 0.21832367777824402, -0.008947807364165783),
        *(-0.0005872055771760643, -0.0018133620033040643),
    ),
}
CAMERAS = tuple(LENSES)

# Subject, camera, quaternion (w first, camera to world) and position in mm.
_PLACES = """
S1  54138969  0.140705645 -0.150070176 -0.755240798  0.622328043  1841.107  4955.285  1563.445
S1  55011271  0.615718782 -0.764836311 -0.148338258  0.117947407  1761.279 -5078.007  1606.265
S1  58860488  0.146514729 -0.146478519  0.765302360 -0.609417558 -1846.778  5215.046  1491.972
S1  60457274  0.583400846 -0.785316229  0.145488232 -0.147495940 -1794.790 -3722.699  1574.893
S5  54138969  0.146737725 -0.162370965 -0.755189300  0.617893875  2097.392  4880.945  1605.732
S5  55011271  0.615975857 -0.762679219 -0.157281920  0.118981503  2031.701 -5167.933  1612.923
S5  58860488  0.142913714 -0.129078418  0.767838478 -0.611014307 -1620.595  5171.659  1496.437
S5  60457274  0.592047989 -0.781421781  0.127474859 -0.150364175 -1637.174 -3867.317  1547.033
S6  54138969  0.133789778 -0.156923965 -0.757109046  0.619887948  1935.452  4950.246  1618.084
S6  55011271  0.614719748 -0.762881279 -0.161747679  0.118192449  1969.804 -5128.739  1632.779
S6  58860488  0.152994812 -0.135291308  0.764609635 -0.611278117 -1769.596  5185.361  1476.993
S6  60457274  0.591610134 -0.780477405  0.128322706 -0.156159386 -1721.669 -3884.131  1540.488
S7  54138969  0.143524185 -0.163133681 -0.754832864  0.618882477  1974.513  4926.354  1597.833
S7  55011271  0.614167273 -0.763826251 -0.159664556  0.117792994  1937.058 -5119.790  1631.567
S7  58860488  0.145500600 -0.128748164  0.766051650 -0.612713933 -1741.811  5208.250  1464.825
S7  60457274  0.591284811 -0.782176435  0.124454737 -0.151964873 -1734.711 -3832.421  1548.583
S8  54138969  0.141105875 -0.155898675 -0.756191730  0.619644046  2150.652  4896.161  1611.905
S8  55011271  0.616960168 -0.764766812 -0.148463503  0.111581579  2219.966 -5148.453  1613.044
S8  58860488  0.147144407 -0.133771196  0.767012835 -0.610036969 -1571.222  5137.019  1498.176
S8  60457274  0.592782438 -0.782587051  0.121478163 -0.146319956 -1476.913 -3896.741  1547.972
S9  54138969  0.155405879 -0.155482158 -0.753209531  0.619959474  2044.458  4935.117  1481.228
S9  55011271  0.618784487 -0.763473511 -0.141322389  0.119339682  1990.960 -5123.811  1568.805
S9  58860488  0.133578271 -0.136710048  0.768945456 -0.610073864 -1670.992  5211.986  1528.388
S9  60457274  0.587939918 -0.782340705  0.142761439 -0.147948697 -1696.043 -3827.100  1591.413
S11 54138969  0.152324721 -0.154423207 -0.754756331  0.619107008  2098.440  4926.555  1500.279
S11 55011271  0.618944943 -0.760091722 -0.153006330  0.125525832  2083.182 -4912.173  1561.079
S11 58860488  0.149432287 -0.156502277  0.768123388 -0.602630436 -1609.815  5177.336  1537.897
S11 60457274  0.589425147 -0.781887710  0.139912114 -0.147153616 -1590.738 -3854.169  1578.018
"""


def _places() -> dict[str, dict[str, Place]]:
    places: dict[str, dict[str, Place]] = {}
    for row in _PLACES.strip().split("\n"):
        subject, camera, *numbers = row.split()
        quaternion, position = np.split(np.array(numbers, dtype=np.float64), [4])
        to_world = Rotation.from_quat(quaternion, scalar_first=True)
        places.setdefault(subject, {})[camera] = Place(to_world.inv().as_matrix(), position)
    return places


PLACES = _places()
