"""Measure what the cheapest mask and polarity save in beam time.

Usage: ``python tests/benchmarks/mask_choice.py [--payloads N] [--predict M]``. Random payloads
(URLs, text, digits, bytes) are encoded as the smallest symbol of a kind and a random level; the
time with the beam on is compared with that of the encoder's own mask, with the mean and with the
dearest of all masks, dark modules milled. Of the first M payloads the margins are predicted and
kept; of the others all masks are taken to keep them. Median and range over the payloads.
"""

from __future__ import annotations

import argparse

import numpy as np

from napari_nanoqr.design.design import Design
from napari_nanoqr.planning.cheapest import cheapest_mask
from napari_nanoqr.symbols.candidates import candidates
from napari_nanoqr.symbols.encode import encode

LETTERS = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz0123456789-/", dtype=np.uint8)


def random_payload(rng: np.random.Generator, longest: int) -> bytes:
    """Return a URL, digits, capitals or bytes."""
    length = int(rng.integers(2, longest))
    kind = rng.integers(4)
    if kind == 0:
        return b"https://" + rng.choice(LETTERS, length).tobytes()
    if kind == 1:
        return rng.choice(np.frombuffer(b"0123456789", dtype=np.uint8), length).tobytes()
    if kind == 2:
        return rng.choice(LETTERS, length).tobytes().upper()
    return rng.bytes(length)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--payloads", type=int, default=200)
    parser.add_argument("--predict", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(
        "| kind | quiet zone | against | median saved | range | predicted: median | lost margin |"
    )
    print("|---|---|---|---|---|---|---|")
    for kind, longest in (("QR", 90), ("Micro QR", 8), ("rMQR", 60)):
        for quiet_zone in (4, 0):
            measure(kind, longest, quiet_zone, options)


def measure(kind: str, longest: int, quiet_zone: int, options: argparse.Namespace) -> None:
    """Print the lines of one kind."""
    rng = np.random.default_rng(options.seed)
    saved: dict[str, list[float]] = {"own mask": [], "mean of masks": [], "dearest mask": []}
    predicted, kept = [], []
    for number in range(options.payloads):
        payload, fitting = b"", []
        while not fitting:
            payload = random_payload(rng, longest)
            level = str(rng.choice(list("LMQH")))
            fitting = [each for each in candidates(payload, [kind]) if each.error == level]
        design = Design(encode(payload, level, fitting[0].version), quiet_zone=quiet_zone)
        choice = cheapest_mask(design, least_margin=0)
        dark = [option.beam_time_s for option in choice.options if option.mill == "dark"]
        against = (choice.standard.beam_time_s, float(np.mean(dark)), max(dark))
        for name, seconds in zip(saved, against, strict=True):
            saved[name].append(100 * (1 - choice.chosen.beam_time_s / seconds))
        if number < options.predict:
            choice = cheapest_mask(design)
            predicted.append(100 * choice.saved_share)
            kept.append(choice.chosen.margin / choice.standard.margin)
    for name, shares in saved.items():
        cells = "- | -"
        if name == "own mask" and predicted:
            cells = f"{np.median(predicted):.1f} % | {100 * (1 - min(kept)):.0f} % at most"
        print(
            f"| {kind} | {quiet_zone} | {name} | {np.median(shares):.1f} % | {min(shares):.1f} to "
            f"{max(shares):.1f} % | {cells} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
