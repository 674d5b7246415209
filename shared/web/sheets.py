"""Sheets: one table with its heading, as CSV or PDF. The same sheet always gives the same bytes."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from importlib.resources import files
from typing import Final, Literal

from shared.domain.money import pounds
from shared.domain.record import record

Kind = Literal["text", "pence"]
Cell = str | int | None

CSV: Final = "text/csv"
PDF: Final = "application/pdf"

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What makes a spreadsheet compute a cell (OWASP, CSV injection): such a text gets an apostrophe in front."""


@record
class Column:
    """A column: its heading, what its cells are, and its share of the page's width."""

    heading: str
    kind: Kind = "text"
    width: int = 10


@record
class Sheet:
    """A table with what stands above and below it. `dated` is the moment that the sheet is of, not of its
    making: who asks twice gets the same file. `sums` are the rows that sum up others, from 0."""

    title: str
    dated: datetime
    above: Sequence[tuple[str, str]]
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    below: Sequence[str] = ()
    sums: Sequence[int] = ()


# --- CSV ----------------------------------------------------------------------------------------------------


def as_csv(sheet: Sheet) -> bytes:
    """The table alone, in UTF-8 with a byte-order mark (Excel needs it), amounts as plain pounds (-12.34)."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([column.heading for column in sheet.columns])
    for row in sheet.rows:
        writer.writerow(
            [_csv_cell(cell, column.kind) for cell, column in zip(row, sheet.columns, strict=True)]
        )
    return text.getvalue().encode("utf-8-sig")


def _csv_cell(cell: Cell, kind: Kind) -> str:
    if cell is None:
        return ""
    if kind == "pence" and isinstance(cell, int):
        return f"{'-' if cell < 0 else ''}{abs(cell) // 100}.{abs(cell) % 100:02}"
    written = str(cell)
    return f"'{written}" if written.startswith(_FORMULA) else written


# --- PDF ----------------------------------------------------------------------------------------------------

_FONT: Final = ("fontpkg_noto_sans", "files", "NotoSans[wdth,wght].ttf")
"""A font that has the letters of our people's names: Ọláolúwa, Chiọma, Zoë."""

_MARGIN_MM: Final = 15
_LINE_MM: Final = 5.5
_GREY: Final = 110
_LIGHT: Final = 205  # lines, which part rows and do not shout
_PALE: Final = 242  # behind sums: a bold face of this font takes seconds to make


def as_pdf(sheet: Sheet) -> bytes:
    """The sheet on A4 pages, with its heading on the first and the page's number on each."""
    from fpdf import FPDF
    from fpdf.enums import XPos, YPos
    from fpdf.fonts import FontFace

    class Paper(FPDF):
        def footer(self) -> None:
            self.set_y(-_MARGIN_MM)
            self.set_font("noto", size=8)
            self.set_text_color(_GREY)
            self.cell(0, _LINE_MM, f"{sheet.title} · page {self.page_no()}", align="R")

    paper = Paper(format="A4")
    paper.set_creation_date(sheet.dated)
    paper.set_producer("Ajo")
    paper.set_title(sheet.title)
    paper.set_margin(_MARGIN_MM)
    paper.set_auto_page_break(True, margin=_MARGIN_MM + _LINE_MM)
    package, *rest = _FONT
    paper.add_font("noto", fname=str(files(package).joinpath(*rest)))
    paper.add_page()
    paper.set_font("noto", size=16)
    paper.cell(0, 10, sheet.title, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    for name, value in sheet.above:
        paper.set_font("noto", size=9)
        paper.set_text_color(_GREY)
        paper.cell(40, _LINE_MM, name)
        paper.set_text_color(0)
        paper.multi_cell(0, _LINE_MM, value, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    paper.ln(_LINE_MM)
    paper.set_font("noto", size=8)
    paper.set_draw_color(_LIGHT)
    paper.set_line_width(0.2)
    sum_style = FontFace(fill_color=(_PALE, _PALE, _PALE), size_pt=8.5)
    with paper.table(
        col_widths=tuple(column.width for column in sheet.columns),
        text_align=tuple("RIGHT" if column.kind == "pence" else "LEFT" for column in sheet.columns),
        headings_style=FontFace(color=(_GREY, _GREY, _GREY)),
        borders_layout="HORIZONTAL_LINES",
        line_height=_LINE_MM,
    ) as table:
        table.row([column.heading for column in sheet.columns])
        for index, row in enumerate(sheet.rows):
            table.row(
                [_pdf_cell(cell, column.kind) for cell, column in zip(row, sheet.columns, strict=True)],
                style=sum_style if index in sheet.sums else None,
            )
    paper.ln(_LINE_MM)
    paper.set_text_color(_GREY)
    for line in sheet.below:
        paper.multi_cell(0, _LINE_MM, line, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    return bytes(paper.output())


def _pdf_cell(cell: Cell, kind: Kind) -> str:
    if cell is None:
        return ""
    return pounds(cell) if kind == "pence" and isinstance(cell, int) else str(cell)
