"""How a scan goes wrong: a bent field, vibration, a wandering stage, charge on the specimen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Coordinate = NDArray[np.float64]

_WARP, _VIBRATION, _JITTER, _WANDER, _CHARGE = range(5)
"""Each fault has random numbers of its own, so that adding one leaves the others as they were."""

_WAVES = 4
"""Random waves that make up a smooth field."""

_SINES = 3
_LOG_PERIODS = (float(np.log(8)), float(np.log(80)))
"""Of 8 to 80 rows: mains and building, 50 Hz to some Hz at a few ms a row."""

_JITTER_SHARE = 0.1
"""Standard deviation of a row's own displacement, in amplitudes of the vibration."""


@dataclass(frozen=True)
class ScanFaults:
    """What a scan does wrong beside drifting. Without arguments, nothing.

    Parameters
    ----------
    warp_nm : float
        Greatest displacement, over the field of view, of a smooth curved distortion in both
        directions. What is linear in it has been taken out, since pixel size and angles are
        calibrated.
    vibration_nm : float
        Greatest displacement by vibration: three sines with 8 to 80 rows a period, each in a
        direction of its own, together with a white displacement of each row whose standard
        deviation is a tenth of it.
    wander_nm : float
        Longest step of a random walk: from the start of each frame to that of the next one the
        specimen moves in a random direction, by a distance evenly spread from 0 to this.
    charging : float
        Strength of charging, 0 to below 1. A slow field makes the image brighter and darker by
        up to this share; and behind bright areas the signal is lowered, behind dark ones raised,
        by about this share of the difference, which fades out along the row. It is half as much
        in some rows and half as much again in others. 0.1 is slight, 0.4 strong.
    tail_nm : float
        Distance along the fast axis in which the charge of what was scanned falls to 1/e.
    seed : int
        Which of the possible distortions.

    Raises
    ------
    ValueError
        Where a value is out of range.

    Notes
    -----
    Distortion and drift of scanned images, and that they have a fixed part and one that goes
    with time: Sutton et al., Exp. Mech. 47, 775 (2007). Charging of insulators, with its dark
    and bright shadows along the scan: Cazaux, J. Appl. Phys. 59, 1418 (1986). Amplitudes are
    free; number, directions and phases of the waves are random. That charge also deflects the
    beam is left out.
    """

    warp_nm: float = 0.0
    vibration_nm: float = 0.0
    wander_nm: float = 0.0
    charging: float = 0.0
    tail_nm: float = 300.0
    seed: int = 0

    def __post_init__(self) -> None:
        lengths = (self.warp_nm, self.vibration_nm, self.wander_nm)
        if not all(0 <= length < 1e6 for length in lengths):
            raise ValueError("Warp, vibration and wandering are lengths in nm from 0 to 1 mm.")
        if not 0 <= self.charging < 1:
            raise ValueError(
                f"A charging of {self.charging:g} cannot be: 0 is none, 0.4 strong, 1 all of the "
                "signal."
            )
        if not 0 < self.tail_nm < 1e6:
            raise ValueError(f"A tail of {self.tail_nm:g} nm cannot be.")
        if self.seed < 0:
            raise ValueError("A seed is not negative.")

    def reach_nm(self, frames: int) -> float:
        """Return how far about, in nm, the specimen is displaced in so many frames at most."""
        # steps in random directions add up by their squares; twice that is hardly ever exceeded
        walk = self.wander_nm * np.sqrt(frames / 3) * 2 if frames > 1 else self.wander_nm
        return float(self.warp_nm + self.vibration_nm + walk)

    def bend(self, y: Coordinate, x: Coordinate) -> Coordinate:
        """Return the displacement by the bent field.

        Parameters
        ----------
        y, x : float64 arrays
            Places in the image, the field of view spanning 0 to 1; shapes that go together.

        Returns
        -------
        (2, ...) float64 array
            By how much what is there has been moved along y and x, in nm.
        """
        if self.warp_nm == 0:
            return np.zeros((2, *np.broadcast_shapes(y.shape, x.shape)))
        rng = self._random(_WARP)
        fields = [_SmoothField(rng), _SmoothField(rng)]
        at = np.linspace(0, 1, 81)
        lattice = np.stack([field(at[:, None], at[None, :]) for field in fields])
        plane = np.stack((np.ones((81, 81)), *np.meshgrid(at, at, indexing="ij"))).reshape(3, -1)
        linear = np.linalg.lstsq(plane.T, lattice.reshape(2, -1).T, rcond=None)[0]
        bent = lattice - (linear.T @ plane).reshape(lattice.shape)
        scale = self.warp_nm / np.hypot(*bent).max()
        return np.asarray(
            [
                scale * (field(y, x) - offset - down * y - right * x)
                for field, (offset, down, right) in zip(fields, linear.T, strict=True)
            ]
        )

    def shake(self, frame: int, rows: int, y: Coordinate, x: Coordinate) -> Coordinate:
        """Return the displacement by vibration.

        Parameters
        ----------
        frame : int
            Number of the frame.
        rows : int
            Rows of a frame.
        y, x : float64 arrays
            Row, and how far along it, 0 to 1, of what is scanned; y holds whole numbers.

        Returns
        -------
        (2, ...) float64 array
            Displacement along y and x in nm.
        """
        shape = np.broadcast_shapes(y.shape, x.shape)
        if self.vibration_nm == 0:
            return np.zeros((2, *shape))
        rng = self._random(_VIBRATION)
        periods = np.exp(rng.uniform(*_LOG_PERIODS, _SINES))
        shares = rng.dirichlet(np.full(_SINES, 2.0))
        directions, phases = rng.uniform(0, 2 * np.pi, (2, _SINES))
        own = self._random(_JITTER, frame).normal(0, _JITTER_SHARE, (2, rows))
        moved = own[:, np.clip(y.astype(int), 0, rows - 1)] + np.zeros((2, *shape))
        time = frame * rows + y + x
        for period, share, direction, phase in zip(
            periods, shares, directions, phases, strict=True
        ):
            wave = share * np.sin(2 * np.pi * time / period + phase)
            moved += np.multiply.outer([np.sin(direction), np.cos(direction)], wave)
        return np.asarray(self.vibration_nm * moved)

    def wandered(self, time: Coordinate) -> Coordinate:
        """Return how far the specimen has walked.

        Parameters
        ----------
        time : float64 array
            In frames from the first pixel; between the starts of frames it moves evenly.

        Returns
        -------
        (2, ...) float64 array
            Displacement along y and x in nm.
        """
        if self.wander_nm == 0:
            return np.zeros((2, *time.shape))
        frames = max(int(np.ceil(time.max())), 1)
        lengths, directions = self._random(_WANDER).uniform(0, 1, (frames, 2)).T
        steps = lengths * np.stack((np.sin(2 * np.pi * directions), np.cos(2 * np.pi * directions)))
        path = np.pad(np.cumsum(steps, axis=1), ((0, 0), (1, 0)))
        at = np.arange(frames + 1)
        return np.asarray([self.wander_nm * np.interp(time, at, along) for along in path])

    def charge(self, expected: NDArray[np.float64], pixel_size_nm: float) -> NDArray[np.float64]:
        """Return a signal as it comes from a specimen that charges.

        Parameters
        ----------
        expected : (rows, columns) float64 array
            Signal without charging; each row is scanned from left to right.
        pixel_size_nm : float
            Step of the scan.

        Returns
        -------
        (rows, columns) float64 array
            The same with slow changes of brightness and tails along the rows.
        """
        if self.charging == 0:
            return expected
        from scipy.signal import lfilter

        rng = self._random(_CHARGE)
        y, x = (np.linspace(0, 1, n) for n in expected.shape)
        slow = _SmoothField(rng)(y[:, None], x[None, :])
        slow -= (slow.max() + slow.min()) / 2
        slow *= self.charging / max(float(slow.max()), 1e-9)
        keeps = np.exp(-pixel_size_nm / self.tail_nm)
        # a row begins discharged: the way back of the beam takes long
        charge = lfilter([0, 1 - keeps], [1, -keeps], expected - np.median(expected), axis=1)
        charge *= self.charging * rng.uniform(0.5, 1.5, (expected.shape[0], 1))
        return np.asarray(np.maximum(expected - charge, 0.0) * (1 + slow))

    def _random(self, *which: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, *which])


class _SmoothField:
    """A sum of random waves with about one period in the field of view."""

    def __init__(self, rng: np.random.Generator) -> None:
        turn, self.phase = rng.uniform(0, 2 * np.pi, (2, _WAVES))
        frequency = rng.uniform(0.5, 1.2, _WAVES)
        self.down, self.right = frequency * np.sin(turn), frequency * np.cos(turn)
        self.height = rng.normal(size=_WAVES)

    def __call__(self, y: Coordinate, x: Coordinate) -> Coordinate:
        result = np.zeros(np.broadcast_shapes(y.shape, x.shape))
        for down, right, phase, height in zip(
            self.down, self.right, self.phase, self.height, strict=True
        ):
            result += height * np.cos(2 * np.pi * (down * y + right * x) + phase)
        return result
