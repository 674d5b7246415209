"""England's bank holidays, substitute days included, from the kept library `holidays`."""

from __future__ import annotations

import functools
from datetime import date, datetime


@functools.cache
def _of(year: int) -> frozenset[date]:
    """Whole years, each built apart: a set that fills up while another thread looks into it would lie."""
    import holidays

    return frozenset(holidays.country_holidays("GB", subdiv="ENG", years=year, expand=False))


class EnglandBankHolidays:
    """`date(2026, 12, 28) in EnglandBankHolidays()`. A datetime is none: its day hangs on a zone."""

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and not isinstance(day, datetime) and day in _of(day.year)
