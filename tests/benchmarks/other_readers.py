"""The readers that ours is compared with: three libraries, WeChat's, and all of them at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Grey = NDArray[np.uint8]
Payloads = set[bytes]

BLURS_MODULES = (0.3, 0.4, 0.2, 0.5, 0.0)
"""Standard deviations that the exhaustive script smooths with, those that often help first."""


def zxing(image: Grey) -> Payloads:
    import zxingcpp

    codes = zxingcpp.read_barcodes(image, zxingcpp.BarcodeFormat.QRCode)
    return {code.bytes for code in codes}


def zbar(image: Grey) -> Payloads:
    from pyzbar import pyzbar

    return {code.data for code in pyzbar.decode(image, [pyzbar.ZBarSymbol.QRCODE])}


def opencv(image: Grey) -> Payloads:
    import cv2

    try:
        text = _detector().detectAndDecode(image)[0]
    except (cv2.error, UnicodeDecodeError):
        # it fails on some images instead of finding nothing
        return set()
    return {text.encode()} if text else set()


def wechat(image: Grey) -> Payloads:
    try:
        texts = _wechat().detectAndDecode(image)[0]
    except UnicodeDecodeError:
        return set()
    return {text.encode(errors="replace") for text in texts}


def exhaustive(image: NDArray[Any], pitch_px: float) -> Payloads:
    """Return what 30 attempts find: five blurs, grey and Otsu, three readers; the first that reads.

    Parameters
    ----------
    image : (y, x) or (frame, y, x) array
        Frames are aligned by phase correlation and averaged.
    pitch_px : float
        Pixels a module, which it is told.
    """
    from skimage.filters import threshold_otsu

    mean = aligned_mean(image, pitch_px) if image.ndim == 3 else image.astype(np.float64)
    for blur in BLURS_MODULES:
        grey = stretched(gaussian_filter(mean, blur * pitch_px) if blur else mean)
        for seen in (grey, np.where(grey > threshold_otsu(grey), 255, 0).astype(np.uint8)):
            for reader in (zxing, zbar, wechat):
                if found := reader(seen):
                    return found
    return set()


def aligned_mean(stack: NDArray[Any], pitch_px: float) -> NDArray[np.float64]:
    """Return the mean of frames that were brought into line by phase correlation."""
    from scipy.ndimage import shift
    from skimage.registration import phase_cross_correlation

    frames = stack.astype(np.float64)
    mean = frames[0]
    for number, frame in enumerate(frames[1:], 1):
        # without whitening: in so much noise all of a spectrum is much alike
        smooth = (gaussian_filter(seen, 0.35 * pitch_px) for seen in (mean, frame))
        moved = phase_cross_correlation(*smooth, upsample_factor=10, normalization=None)[0]
        mean = mean + (shift(frame, moved, order=1, mode="nearest") - mean) / (number + 1)
    return np.asarray(mean)


def stretched(image: NDArray[np.float64]) -> Grey:
    """Return 8 bit from the first to the last percent of the grey values."""
    low, high = np.quantile(image, (0.01, 0.99))
    return np.asarray(np.clip((image - low) / max(high - low, 1e-9) * 255, 0, 255), dtype=np.uint8)


def single(reader: Callable[[Grey], Payloads]) -> Callable[[NDArray[Any], float], Payloads]:
    """Return a plain reader that takes stacks, unaligned, and is not told the scale."""
    return lambda image, _: reader(
        image if image.ndim == 2 else stretched(image.mean(axis=0, dtype=np.float64))
    )


@lru_cache(maxsize=1)
def _detector() -> Any:
    import cv2

    return cv2.QRCodeDetector()


@lru_cache(maxsize=1)
def _wechat() -> Any:
    import cv2

    # without model files it uses no networks
    return cv2.wechat_qrcode_WeChatQRCode()


OTHERS: dict[str, Callable[[NDArray[Any], float], Payloads]] = {
    "zxing-cpp": single(zxing),
    "pyzbar": single(zbar),
    "OpenCV": single(opencv),
    "WeChat": single(wechat),
    "exhaustive script": exhaustive,
}


PACKAGES = {
    "exhaustive script": ("zxing-cpp", "pyzbar", "opencv-contrib-python-headless"),
    "WeChat": ("opencv-contrib-python-headless",),
    "zxing-cpp": ("zxing-cpp",),
    "pyzbar": ("pyzbar",),
    "OpenCV": ("opencv-contrib-python-headless",),
}


def versions(readers: Sequence[str]) -> str:
    """Return which versions of the libraries these readers use, separated by commas."""
    from importlib.metadata import version

    names = dict.fromkeys(name for reader in readers for name in PACKAGES.get(reader, ()))
    return ", ".join(f"{name} {version(name)}" for name in names)
