"""The table and the page of many micrographs, kept up to date while they are read."""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType
from typing import Self

from napari_nanoqr.measuring.batch import BatchItem
from napari_nanoqr.measuring.batch_page import BatchPage
from napari_nanoqr.measuring.table import Row, check_table, write_table

_PAGE_EVERY_S = 10.0
"""A page has the pictures in it, and writing it takes longer the more there are."""


class BatchFiles:
    """Files that many micrographs are written to; they are complete on leaving the context.

    What was read is in them also where the work is stopped or fails.

    Parameters
    ----------
    table : Path, optional
        A row a code: ``.csv``, ``.tsv`` or ``.parquet``.
    report : Path, optional
        One HTML page with a picture of each image.
    growing : bool
        Write the table after each image, and the page every ten seconds.

    Raises
    ------
    ValueError, OSError
        Where one of them could not be written in the end.
    """

    def __init__(
        self, table: Path | None = None, report: Path | None = None, *, growing: bool = False
    ) -> None:
        if table is not None:
            check_table(table)
        if report is not None and report.suffix.lower() not in (".html", ".htm"):
            raise ValueError(f"{report.name}: a report is an HTML page: name it .html.")
        for path in (table, report):
            if path is not None and not path.parent.is_dir():
                raise FileNotFoundError(f"The folder {path.parent} does not exist.")
        self._table, self._growing = table, growing
        self._rows: list[Row] = []
        self._page = None if report is None else BatchPage(report, report.stem)
        self._written = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if self._page is not None:
                self._page.write()
            self._write_table()
        finally:
            if self._page is not None:
                self._page.close()

    def add(self, item: BatchItem) -> None:
        """Add an image.

        Raises
        ------
        OSError
            Where a file that grows cannot be written.
        """
        if self._table is not None:
            self._rows += item.rows
        if self._page is not None:
            self._page.add(item)
        if not self._growing:
            return
        self._write_table()
        now = time.monotonic()
        if self._page is not None and now - self._written > _PAGE_EVERY_S:
            self._page.write()
            self._written = now

    def _write_table(self) -> None:
        if self._table is not None:
            write_table(self._table, self._rows)
