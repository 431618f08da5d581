"""Micrographs of all fields of an archive, as files or as a mosaic."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from napari_nanoqr.archive.levels import END_POINT_SPREAD
from napari_nanoqr.archive.manifest import ArchiveManifest
from napari_nanoqr.archive.mosaic import write_mosaic
from napari_nanoqr.archive.simulate import Imaging, SheetMicrographs, aged, pits_per_field
from napari_nanoqr.archive.simulation.archive import sheets_of
from napari_nanoqr.archive.simulation.micrograph import Specimen
from napari_nanoqr.archive.simulation.sheet import FieldPlace
from napari_nanoqr.physics.ageing import Ageing
from napari_nanoqr.physics.sem import SemModel
from napari_nanoqr.progress import Progress, go_on
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.sem.write import write_micrograph


@dataclass(frozen=True)
class SimulatedArchive:
    """What was simulated.

    Attributes
    ----------
    images : int
        Micrographs.
    places : tuple of Path
        The files, or the mosaics.
    missing : tuple of (int, int, int)
        Sheet, field and place in it of each tile that is missing.
    unreadable, not_taken : tuple of (int, int)
        Sheet and field of images out of focus, and of those that were not taken.
    """

    images: int
    places: tuple[Path, ...]
    missing: tuple[tuple[int, int, int], ...]
    unreadable: tuple[tuple[int, int], ...]
    not_taken: tuple[tuple[int, int], ...]


def simulate_archive(
    manifest: ArchiveManifest,
    folder: Path,
    imaging: Imaging | None = None,
    *,
    model: SemModel | None = None,
    over_etch: float | None = None,
    end_point_spread: float = END_POINT_SPREAD,
    missing: float = 0.0,
    scratches: int = 0,
    scratch_nm: float = 2000.0,
    particles: float = 0.0,
    ageing: Ageing | None = None,
    mosaic: bool = False,
    jobs: int = 1,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> SimulatedArchive:
    """Take one micrograph of each field of view of an archive.

    Parameters
    ----------
    manifest : ArchiveManifest
        Of the archive: what its pattern files say is milled.
    folder : Path
        Gets ``sheet_01_field_000001.tif`` and so on, or ``sheet_01.zarr``; made if there is none.
    imaging : Imaging, optional
        How images are taken.
    model : SemModel, optional
        Contrast, escape depth and detector; by default with the escape depth that the archive was
        written for.
    over_etch : float, optional
        Full dose in units of that which just mills through; by default 1.1 for one bit a module,
        and what was planned for two.
    end_point_spread : float
        Standard deviation of a module's dose, as a share.
    missing : float
        Share of the tiles that are missing.
    scratches, scratch_nm, particles
        See `napari_nanoqr.archive.simulation.sheet.Sheet`.
    ageing : Ageing, optional
        What years did: spreading, fading and pits.
    mosaic : bool
        An OME-Zarr store for each sheet instead of files.
    jobs : int
        Threads.
    progress, cancelled : callable, optional
        See `napari_nanoqr.progress`.

    Returns
    -------
    SimulatedArchive
        What there is, and what is missing.

    Raises
    ------
    Cancelled
        Where it is no longer wanted; files that are complete stay.
    ValueError
        Where a number cannot be.
    FileExistsError
        Where an image of that name exists.
    OSError
        Where a pattern file cannot be read, or the folder not be written to.
    """
    imaging = imaging or Imaging()
    settings = manifest.plan.settings
    if over_etch is None and settings.bits_per_module == 2:
        over_etch = manifest.full_dose
    specimen = Specimen(
        settings.bits_per_module, settings.pitch_nm, settings.film, manifest.beam,
        over_etch=over_etch, shares=manifest.doses, end_point_spread=end_point_spread,
        model=model or SemModel(escape_nm=settings.escape_nm),
    )  # fmt: skip
    damage = {
        "missing": missing, "scratches": scratches, "scratch_nm": scratch_nm,
        "particles": particles, "seed": imaging.seed,
    }  # fmt: skip
    if ageing is not None:
        specimen = aged(specimen, ageing)
        sheets = sheets_of(manifest)
        damage["pits"] = pits_per_field(ageing, sheets[0].fields, settings.pitch_nm)
        damage["pit_nm"] = ageing.pit_nm
    series = [SheetMicrographs(sheet, specimen, imaging) for sheet in sheets_of(manifest, **damage)]
    planned = sum(len(each.taken) for each in series)
    _check_free(folder, series, mosaic)
    folder.mkdir(parents=True, exist_ok=True)
    done = 0

    def tell(name: str) -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, planned, name)
        go_on(cancelled)

    places: list[Path] = []
    for number, each in enumerate(series, start=1):
        if mosaic:
            path = folder / mosaic_name(number)
            places.append(write_mosaic(_told(_taken(each, jobs), tell), path))
        else:
            for image in _told(_taken(each, jobs), tell):
                assert image.path is not None  # named by _taken
                path = folder / image.path.name
                places.append(write_micrograph(replace(image, path=None), path))
    return SimulatedArchive(
        done, tuple(places),
        tuple(
            (sheet, field, tile)
            for sheet, each in enumerate(series)
            for field, tiles in each.sheet.missing.items()
            for tile in tiles
        ),
        tuple((sheet, n) for sheet, each in enumerate(series) for n in each.unreadable),
        tuple(
            (sheet, place.number)
            for sheet, each in enumerate(series)
            for place in each.sheet.fields
            if place not in each.taken
        ),
    )  # fmt: skip


def _taken(series: SheetMicrographs, jobs: int) -> Iterator[Micrograph]:
    """Images of a sheet in order, some taken ahead, each with its name."""
    places = series.taken
    if jobs <= 1:
        yield from (_named(series.take(place), place) for place in places)
        return
    pool = ThreadPoolExecutor(jobs, thread_name_prefix="nanoqr-simulate")
    try:
        waiting = [pool.submit(series.take, place) for place in places[:jobs]]
        for number, place in enumerate(places):
            image = waiting.pop(0).result()
            if number + jobs < len(places):
                waiting.append(pool.submit(series.take, places[number + jobs]))
            yield _named(image, place)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _named(image: Micrograph, place: FieldPlace) -> Micrograph:
    return replace(image, path=Path(image_name(place)))


def image_name(place: FieldPlace) -> str:
    """Return the file name of the image of a field; sheets and fields count from 1."""
    return f"sheet_{place.sheet + 1:02}_field_{place.number + 1:06}.tif"


def mosaic_name(number: int) -> str:
    """Return the name of the mosaic of a sheet, counted from 1."""
    return f"sheet_{number:02}.zarr"


def _check_free(folder: Path, series: Sequence[SheetMicrographs], mosaic: bool) -> None:
    names = [mosaic_name(number) for number in range(1, len(series) + 1)]
    if not mosaic:
        names = [image_name(place) for each in series for place in each.taken]
    for name in names:
        if (folder / name).exists():
            raise FileExistsError(f"{folder / name} exists: give a new folder.")


def _told(images: Iterator[Micrograph], tell: Callable[[str], None]) -> Iterator[Micrograph]:
    for image in images:
        yield image
        tell(f"{image.path.name if image.path else 'image'} taken")
