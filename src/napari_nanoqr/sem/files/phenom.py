"""Phenom desktop microscopes: ``FeiImage`` XML in TIFF tag 34683 or behind a JPEG."""

from __future__ import annotations

from napari_nanoqr.sem.files.facts import Acquisition, ImageFile
from napari_nanoqr.sem.files.quantities import in_nm, in_si, number, pixel_size, plain, quantity
from napari_nanoqr.sem.files.text import decode, flatten_xml, local_name, parse_xml

_TAG = 34683
_ROOT = "FeiImage"


def read(file: ImageFile) -> Acquisition | None:
    """Read the XML, None where there is none of this root."""
    for data, source in (
        (file.tags.get(_TAG, b""), f"Phenom tag {_TAG}"),
        (file.tags.get(270, b""), "Phenom ImageDescription"),
        (file.embedded, "Phenom XML behind the picture"),
    ):
        text = decode(data)
        start = text.find(f"<{_ROOT}")
        if start >= 0:
            return _acquisition(text[start:], source, file)
    return None


def _acquisition(text: str, source: str, file: ImageFile) -> Acquisition:
    end = text.find(f"</{_ROOT}>")
    root = parse_xml(text[: end + len(_ROOT) + 3] if end >= 0 else text)
    if local_name(root) != _ROOT:
        raise ValueError(f"its XML does not begin with {_ROOT}")
    leaves = flatten_xml(root)
    # the same names stand on other levels in other versions
    names = {key.rpartition(".")[2]: value for key, value in reversed(list(leaves.items()))}

    found = Acquisition(
        vendor="Phenom", fields={key: plain(value) for key, value in leaves.items()}
    )
    found.pixel_size_nm = pixel_size(
        in_nm(names.get("pixelHeight")), in_nm(names.get("pixelWidth"))
    )
    found.pixel_size_source = source if found.pixel_size_nm else None
    rows = number(names.get("databarHeight"))
    if rows and 0 < rows < file.height:
        found.databar_rows = int(rows)
    voltage = in_si(names.get("highVoltage"), "V")
    averaged = number(names.get("integrations"))
    detector, unit = quantity(names.get("detector"))
    found.metadata |= {
        # written with the sign of the cathode
        "landing_energy_ev": None if voltage is None else abs(voltage),
        "dwell_s": in_si(names.get("dwellTime"), "s"),
        "averaged": int(averaged) if averaged and averaged >= 1 else None,
        "detector": names.get("detector") if detector is None or unit else None,
    }
    return found
