"""A design and a micrograph go in, a verdict with its reasons comes out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_nanoqr.design.design import Design
from napari_nanoqr.measuring.verdict import Finding, Verdict, VerifyLimits
from napari_nanoqr.measuring.verify_picture import AROUND, difference_picture
from napari_nanoqr.measuring.write_verify import write_verify
from napari_nanoqr.physics.simulate import simulate_micrograph
from napari_nanoqr.progress import Cancelled
from napari_nanoqr.symbols.encode import encode

DESIGN = Design(encode(b"write-verify", error="Q"), pitch_nm=48, name="plate 7")
PX = 8


def written(
    modules: NDArray[np.bool_], px: int = PX, noise: float = 3.0, seed: int = 0
) -> NDArray[np.float32]:
    image = np.kron(np.where(np.pad(modules, 5), 40.0, 160.0), np.ones((px, px)))
    return (image + np.random.default_rng(seed).normal(0, noise, image.shape)).astype(np.float32)


def named(verdict: Verdict, name: str, place: int = 0) -> Finding:
    (found,) = [f for f in verdict.places[place].findings if f.name == name]
    return found


class TestAGoodWrite:
    verdict = write_verify(DESIGN, written(DESIGN.symbol.matrix), pixel_size_nm=6.0)

    def test_passes_and_says_everything_that_was_looked_at(self) -> None:
        assert (self.verdict.outcome, self.verdict.passed) == ("pass", True)
        assert [f.name for f in self.verdict.places[0].findings] == [
            "payload", "raw bit-error rate", "damage", "margin", "grade", "pitch", "edges",
        ]  # fmt: skip
        assert str(self.verdict).startswith("PASS · plate 7: written as designed\n  The payload")
        assert len(self.verdict.reasons) == 7

    def test_has_the_pitch_of_the_design_and_edges_in_their_places(self) -> None:
        assert named(self.verdict, "pitch").value == pytest.approx(0, abs=1e-3)
        assert named(self.verdict, "edges").value == pytest.approx(0, abs=0.01)
        assert named(self.verdict, "raw bit-error rate").value == 0
        assert self.verdict.places[0].grade.letter == "A"

    def test_is_told_as_json(self) -> None:
        values = self.verdict.to_dict()
        assert values["outcome"] == "pass"
        (place,) = values["places"]
        assert place["damage_nm"] == []
        assert place["margin"]["stop_dose_share"] < 0.5
        assert place["grade"]["letter"] == "A"


class TestADamagedOne:
    modules = DESIGN.symbol.matrix.copy()
    modules[12:16, 9:14] = True
    verdict = write_verify(DESIGN, written(modules), pixel_size_nm=6.0)

    def test_is_marginal_while_it_can_be_read(self) -> None:
        assert self.verdict.outcome == "marginal"
        assert named(self.verdict, "payload").outcome == "pass"

    def test_says_where_in_nm(self) -> None:
        wrong = self.modules != DESIGN.symbol.matrix
        rows, columns = np.nonzero(wrong)
        areas = self.verdict.to_dict()["places"][0]["damage_nm"]
        assert min(a["top"] for a in areas) == pytest.approx(48 * rows.min(), rel=0.01)
        assert min(a["left"] for a in areas) == pytest.approx(48 * columns.min(), rel=0.01)
        assert any("nm right and" in reason for reason in self.verdict.reasons)
        assert named(self.verdict, "raw bit-error rate").value == pytest.approx(wrong.mean(), 1e-3)

    def test_tells_only_what_keeps_it_from_passing(self) -> None:
        assert not any("payload" in reason for reason in self.verdict.reasons)

    def test_is_drawn_with_the_modules_that_differ_marked(self) -> None:
        place = self.verdict.places[0]
        drawn = difference_picture(written(self.modules), place.comparison, side=4)
        coloured = (drawn.max(axis=-1) != drawn.min(axis=-1))[2::4, 2::4]
        assert coloured.sum() == place.comparison.different.sum()
        differ = np.argwhere(self.modules != DESIGN.symbol.matrix) + AROUND
        assert coloured[tuple(differ.T)].all()


class TestOthers:
    def test_one_that_can_no_longer_be_read_fails(self) -> None:
        modules = DESIGN.symbol.matrix.copy()
        modules[9:, 9:] = True
        verdict = write_verify(DESIGN, written(modules), pixel_size_nm=6.0)
        assert verdict.outcome == "fail"
        assert "The payload cannot be read back" in verdict.reasons[0]
        assert verdict.places[0].margin is None

    def test_what_looks_like_neither_kind_is_damage(self) -> None:
        image = written(DESIGN.symbol.matrix)
        # a particle, far brighter than any module
        image[PX * 16 : PX * 20, PX * 14 : PX * 20] = 400
        verdict = write_verify(DESIGN, image, 6.0)
        damage = named(verdict, "damage")
        assert damage.outcome == "marginal"
        # the symbol begins after five modules; next to what is so bright they cannot be told either
        (area,) = verdict.to_dict()["places"][0]["damage_nm"]
        assert area["top"] == pytest.approx(48 * 11, abs=100)
        assert area["left"] == pytest.approx(48 * 9, abs=100)
        assert area["width"] == pytest.approx(48 * 6, abs=200)

    def test_noise_is_told_from_damage(self) -> None:
        verdict = write_verify(DESIGN, simulate_micrograph(DESIGN, electrons_per_pixel=5, seed=2))
        assert verdict.outcome == "fail"
        assert "take an image with more electrons" in verdict.reasons[0]

    def test_another_code_is_not_found_and_named(self) -> None:
        other = encode(b"something else", version=DESIGN.symbol.version, error="Q")
        verdict = write_verify(DESIGN, written(other.matrix), pixel_size_nm=6.0)
        assert (verdict.outcome, verdict.places) == ("not found", ())
        assert verdict.reasons == ("The image shows another code, which says 'something else'.",)
        assert verdict.to_dict()["places"] == []

    def test_the_payload_in_another_symbol_is_not_the_design(self) -> None:
        symbol = DESIGN.symbol
        other = encode(
            b"write-verify", version=symbol.version, error="Q", mask=(symbol.mask + 1) % 8
        )
        verdict = write_verify(DESIGN, written(other.matrix), pixel_size_nm=6.0)
        assert verdict.outcome == "not found"
        assert f"another symbol: QR version {other.version}" in verdict.reasons[0]

    def test_nothing_is_not_found(self) -> None:
        rng = np.random.default_rng(1)
        verdict = write_verify(DESIGN, rng.normal(100, 5, (200, 200)).astype(np.float32))
        assert verdict.outcome == "not found"
        assert "Nothing in the image agrees" in verdict.reasons[0]

    def test_a_wrong_pitch_is_marginal_and_not_judged_without_a_pixel_size(self) -> None:
        image = written(DESIGN.symbol.matrix)
        off = write_verify(DESIGN, image, pixel_size_nm=6.6)
        assert named(off, "pitch").outcome == "marginal"
        assert "nm; 48 nm was designed (+10.0 %)" in named(off, "pitch").sentence
        assert named(write_verify(DESIGN, image, 7.5), "pitch").outcome == "fail"
        unknown = write_verify(DESIGN, image)
        assert "pitch" not in [f.name for f in unknown.places[0].findings]
        assert unknown.passed

    @pytest.mark.parametrize("mill", ["dark", "light"])
    def test_milled_areas_that_are_too_large_are_told_for_both_ways_of_milling(
        self, mill: str
    ) -> None:
        design = replace(DESIGN, mill=mill)
        dark = written(design.symbol.matrix, noise=0) < 100
        # dark areas a pixel wider all around
        for axis in (0, 1):
            dark = dark | np.roll(dark, 1, axis) | np.roll(dark, -1, axis)
        image = np.where(dark, 40.0, 160.0).astype(np.float32)
        edges = named(write_verify(design, image, 6.0), "edges")
        assert edges.value == pytest.approx(1 / PX, abs=0.01)
        assert edges.outcome == "marginal"
        assert ("beyond" if mill == "dark" else "short of") in edges.sentence
        assert "6.0 nm" in edges.sentence

    def test_every_place_is_judged_and_the_worst_counts(self) -> None:
        bad = DESIGN.symbol.matrix.copy()
        bad[12:16, 9:14] = True
        image = np.hstack([written(DESIGN.symbol.matrix), written(bad, seed=1)])
        verdict = write_verify(DESIGN, image, 6.0)
        assert sorted(place.outcome for place in verdict.places) == ["marginal", "pass"]
        assert verdict.outcome == "marginal"
        assert all(reason.startswith("Place ") for reason in verdict.reasons)

    def test_it_can_be_cancelled_and_tells_how_far_it_is(self) -> None:
        told: list[str] = []
        image = written(DESIGN.symbol.matrix)
        write_verify(DESIGN, image, progress=lambda done, of, sentence: told.append(sentence))
        assert told == ["looking for the design", "grade", "margin", "finished"]
        with pytest.raises(Cancelled):
            write_verify(DESIGN, image, cancelled=lambda: True)


class TestLimits:
    def test_hold_on_both_sides(self) -> None:
        outcomes = [Finding.of("x", v, (0.1, 0.2), "").outcome for v in (0.1, 0.11, 0.2, 0.21)]
        assert outcomes == ["pass", "marginal", "marginal", "fail"]

    def test_are_the_users(self) -> None:
        image = written(DESIGN.symbol.matrix, noise=25)
        strict = VerifyLimits(grade=4, dose_share=(1e-4, 2e-4))
        verdict = write_verify(DESIGN, image, limits=strict)
        assert named(verdict, "margin").outcome == "fail"
        assert write_verify(DESIGN, image, limits=VerifyLimits(grade=0)).outcome == "pass"

    def test_that_make_no_sense_are_refused(self) -> None:
        with pytest.raises(ValueError, match="smaller one first"):
            VerifyLimits(pitch=(0.2, 0.1))
        with pytest.raises(ValueError, match="grade of 5"):
            VerifyLimits(grade=5)
