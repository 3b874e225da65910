"""Charts: the numbers once, for the picture and for the table behind it.

    Chart("bar", _("Sales"), categories=["A", "B"],
          series=[{"name": _("Revenue"), "data": [120, 80]}], y_format=Money("EUR"))

| kind          | categories                    | data of each series                  |
|---------------|-------------------------------|--------------------------------------|
| `bar`         | labels                        | one figure (or None) per label       |
| `stacked`     | labels                        | the same; series lie on each other   |
| `line`        | dates or labels               | the same; None is a gap              |
| `histogram`   | bin edges, one more than bins | one count per bin                    |
| `scatter`     | –                             | [x, y] per point; a series per class |
| `calibration` | –                             | [predicted, observed, count]         |
| `heatmap`     | column labels                 | one figure per column; a row a series|

A series may carry `"dashed": True` (a forecast, a simple rule), a line also
`"band": [[low, high], …]`, and any `"colour": 3`, a fixed place in the palette (1 to
8), so that a class keeps its colour from chart to chart. `links` leads from each
category to the rows behind it. `period` says what a date stands for: day, month, year.
In a heatmap `highlight_diagonal` outlines the right answers of a confusion matrix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from itertools import pairwise

from django.utils import dateformat
from django.utils.translation import gettext, pgettext

from crm import formatting

KINDS = ("bar", "stacked", "line", "histogram", "scatter", "calibration", "heatmap")


@dataclass(frozen=True)
class Number:
    """Plain figures."""

    places: int | None = None

    def text(self, value: object) -> str:
        """Write one figure."""
        return formatting.number(value, self.places)

    def options(self) -> dict[str, object]:
        """Return what Intl.NumberFormat needs for the same."""
        places = 2 if self.places is None else self.places
        least = 0 if self.places is None else self.places
        return {"minimumFractionDigits": least, "maximumFractionDigits": places}


@dataclass(frozen=True)
class Percent(Number):
    """Shares of one."""

    places: int = 1

    def text(self, value: object) -> str:
        """Write one share."""
        return formatting.percent(value, self.places)

    def options(self) -> dict[str, object]:
        """Return what Intl.NumberFormat needs for the same."""
        return {"style": "percent", "maximumFractionDigits": self.places}


@dataclass(frozen=True)
class Money(Number):
    """Amounts in one currency."""

    currency: str = ""
    places: int = 0

    def __init__(self, currency: str = "", places: int = 0) -> None:
        object.__setattr__(self, "currency", currency)
        object.__setattr__(self, "places", places)

    def text(self, value: object) -> str:
        """Write one amount."""
        return formatting.money(value, self.currency, self.places)

    def options(self) -> dict[str, object]:
        """Return what Intl.NumberFormat needs for the same."""
        digits = {"maximumFractionDigits": self.places}
        if not self.currency:
            return digits
        return {
            "style": "currency",
            "currency": self.currency,
            "currencyDisplay": "narrowSymbol",
            "minimumFractionDigits": self.places,
            **digits,
        }


@dataclass(frozen=True)
class Cell:
    """One cell of the table behind a chart."""

    text: str
    url: str = ""
    is_number: bool = True
    shade: int | None = None
    is_right: bool = False


@dataclass(frozen=True)
class Table:
    """The table behind a chart."""

    headers: list[str]
    rows: list[list[Cell]]


@dataclass
class Chart:
    """A picture of numbers, and the numbers."""

    kind: str
    title: str
    x_label: str = ""
    y_label: str = ""
    series: Sequence[dict] = ()
    categories: Sequence[object] = ()
    note: str = ""
    y_format: Number = field(default_factory=Number)
    x_format: Number = field(default_factory=Number)
    period: str = "day"
    links: Sequence[str] = ()
    horizontal: bool = False
    highlight_diagonal: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            msg = f"A chart is one of {', '.join(KINDS)}, not {self.kind!r}."
            raise ValueError(msg)
        if self.kind in ("scatter", "calibration"):
            return
        expected = len(self.categories) - (self.kind == "histogram")
        for one in self.series:
            if len(one["data"]) != max(expected, 0):
                msg = f"{self.kind}: {len(one['data'])} figures for {expected} labels."
                raise ValueError(msg)

    @property
    def is_empty(self) -> bool:
        """Say whether there is anything to draw."""
        return not any(len(one["data"]) for one in self.series)

    @cached_property
    def labels(self) -> list[str]:
        """Return the categories as people read them."""
        if self.kind == "histogram":
            return [
                f"{self.x_format.text(low)} – {self.x_format.text(high)}"
                for low, high in pairwise(self.categories)
            ]
        pattern = {
            # Translators: date patterns of chart axes, in Django's letters.
            "day": pgettext("date pattern", "j M Y"),
            "month": pgettext("date pattern", "M Y"),
            "year": pgettext("date pattern", "Y"),
        }[self.period]
        return [
            dateformat.format(one, pattern) if isinstance(one, date) else str(one)
            for one in self.categories
        ]

    def payload(self) -> dict[str, object]:
        """Return what charts.js draws."""
        return {
            "kind": self.kind,
            "labels": self.labels,
            "xLabel": str(self.x_label),
            "yLabel": str(self.y_label),
            "xFormat": self.x_format.options(),
            "yFormat": self.y_format.options(),
            "horizontal": self.horizontal,
            "links": [str(link) for link in self.links],
            "series": [
                {**one, "name": str(one.get("name", "")), "data": plain(one["data"])}
                | ({"band": plain(one["band"])} if "band" in one else {})
                for one in self.series
            ],
            "words": {"ideal": gettext("Ideal"), "count": gettext("Count")},
        }

    def table(self) -> Table:
        """Return the same numbers as a table."""
        if self.kind == "scatter":
            return self._scatter_table()
        if self.kind == "calibration":
            return self._calibration_table()
        if self.kind == "heatmap":
            return self._heatmap_table()
        return self._category_table()

    def _category_table(self) -> Table:
        links = list(self.links) or [""] * len(self.labels)
        names = [str(one.get("name", "")) for one in self.series]
        headers = [str(self.x_label)]
        for name, one in zip(names, self.series, strict=True):
            headers.append(name or str(self.y_label))
            if "band" in one:
                headers.append(gettext("Range"))
        rows = []
        for place, label in enumerate(self.labels):
            row = [Cell(label, url=links[place], is_number=False)]
            for one in self.series:
                row.append(Cell(self.y_format.text(one["data"][place])))
                if "band" in one:
                    row.append(Cell(self._range(one["band"][place])))
            rows.append(row)
        return Table(headers, rows)

    def _range(self, pair: Sequence | None) -> str:
        if not pair or pair[0] is None:
            return formatting.NOTHING
        return f"{self.y_format.text(pair[0])} – {self.y_format.text(pair[1])}"

    def _scatter_table(self) -> Table:
        rows = []
        for one in self.series:
            points = [(float(p[0]), float(p[1])) for p in one["data"]]
            count = len(points)
            means = [sum(axis) / count for axis in zip(*points, strict=True)] or [
                None
            ] * 2
            rows.append(
                [
                    Cell(str(one.get("name", "")), is_number=False),
                    Cell(formatting.number(count, 0)),
                    Cell(self.x_format.text(means[0])),
                    Cell(self.y_format.text(means[1])),
                ]
            )
        mean = gettext("Mean: %(axis)s")
        headers = [
            gettext("Group"),
            gettext("Points"),
            mean % {"axis": self.x_label or "x"},
            mean % {"axis": self.y_label or "y"},
        ]
        return Table(headers, rows)

    def _calibration_table(self) -> Table:
        several = len(self.series) > 1
        rows = [
            ([Cell(str(one.get("name", "")), is_number=False)] if several else [])
            + [
                Cell(formatting.percent(said)),
                Cell(formatting.percent(seen)),
                Cell(formatting.number(count, 0)),
            ]
            for one in self.series
            for said, seen, count in one["data"]
        ]
        headers = [
            str(self.x_label or gettext("Predicted")),
            str(self.y_label or gettext("Observed")),
            gettext("Count"),
        ]
        return Table(([gettext("Model")] if several else []) + headers, rows)

    def _heatmap_table(self) -> Table:
        rows = []
        for line, one in enumerate(self.series):
            # Shades compare within a row: a rare class is as readable as a big one.
            top = max((float(value or 0) for value in one["data"]), default=0) or 1
            cells = [
                Cell(
                    self.y_format.text(value),
                    shade=round(9 * max(float(value or 0), 0) / top),
                    is_right=self.highlight_diagonal and line == column,
                )
                for column, value in enumerate(one["data"])
            ]
            rows.append([Cell(str(one.get("name", "")), is_number=False), *cells])
        corner = " / ".join(filter(None, (str(self.y_label), str(self.x_label))))
        return Table([corner, *self.labels], rows)


def plain(value: object) -> object:
    """Return figures as JSON has them."""
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return float(value) if isinstance(value, Decimal) else value
