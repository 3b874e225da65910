"""Columns of lists, and the facts of detail pages.

A column is made once and shared by all requests, so it keeps nothing of theirs; what
belongs to one request arrives as an argument.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from crm import formatting
from crm.access import Verb, can, is_hidden
from crm.generic import formats
from crm.generic.cells import Cell, Links

if TYPE_CHECKING:
    from django.http import HttpRequest

    from crm.models import User


class Column:
    """One column: how a value is found, sorted, shown and exported.

    Words that stay the same it keeps in each language.

    ``key``       lookup path or attribute; also the column's name in addresses
    ``sort``      field or annotation to order by; True means the key; None: unsortable
    ``unsorted``  why it cannot be sorted, in words for people
    ``link``      the cell leads to the row's own page
    ``annotate``  ``callable(queryset, request) -> queryset``
    ``value``     ``callable(row) -> value`` where the key does not say it all
    ``words``     {stored value: words} of a value that is no field with choices
    ``requires``  a model that the reader must be allowed to view
    ``reads``     fields of the model that the value tells besides the key's own
    ``default``   shown without being asked for
    ``editable``  False: its field is changed on the row's own page only
    ``align``     "end" for figures; ``nowrap`` keeps a short code in one line
    """

    align = ""
    kind = "text"
    nowrap = False
    unsorted: Any = _("Not sortable: no index serves this column.")

    def __init__(
        self,
        key: str,
        label: Any = None,
        *,
        sort: str | bool | None = None,
        link: bool = False,
        align: str | None = None,
        nowrap: bool | None = None,
        annotate: Callable | None = None,
        value: Callable[[Any], Any] | None = None,
        words: Mapping[Any, Any] | None = None,
        template: str = "",
        requires: type[models.Model] | None = None,
        reads: tuple[str, ...] = (),
        default: bool = True,
        editable: bool = True,
        select_related: tuple[str, ...] = (),
        prefetch_related: tuple[Any, ...] = (),
    ) -> None:
        self.key = key
        self.label = label
        self.sort = key if sort is True else sort
        self.link = link
        self.align = self.align if align is None else align
        self.nowrap = self.nowrap if nowrap is None else nowrap
        self.css = "num" if self.align == "end" else "nowrap" if self.nowrap else ""
        self._annotate = annotate
        self._value = value
        self.words = words
        # What was put into words, by what it is and the language.
        self._kept: dict[tuple[Any, str], Any] = {}
        self.template = template
        self.requires = requires
        self.reads = reads
        self.default = default
        self.editable = editable
        self.select_related = select_related
        self.prefetch_related = prefetch_related

    def visible(self, user: User, model: type[models.Model]) -> bool:
        """Tell whether the person may see the column at all in rows of the model."""
        if self.requires is not None and not can(user, Verb.VIEW, self.requires):
            return False
        paths = {self.key, str(self.sort or self.key), *self.reads}
        return not any(is_hidden(user, model, path) for path in paths)

    def heading(self, model: type[models.Model]) -> str:
        """Return the label, by default the name of the model's field."""
        return self._in_language(model, lambda: self._heading(model))

    def _heading(self, model: type[models.Model]) -> str:
        if self.label is not None:
            return str(self.label)
        found = formats.field_of(model, self.key)
        return capfirst(str(found.verbose_name if found else self.key))

    def annotate(
        self, queryset: models.QuerySet, request: HttpRequest
    ) -> models.QuerySet:
        """Add to the query what the column shows."""
        return self._annotate(queryset, request) if self._annotate else queryset

    def value(self, row: Any) -> Any:
        """Return what the column shows of a row, choices already in words."""
        if self._value is not None:
            return self._value(row)
        value = formats.value_at(row, self.key)
        if self.words is not None:
            return self._in_words(str(value or ""))
        words = formats.words_of(type(row), self.key)
        return words.get(value, value) if words and value is not None else value

    def _in_words(self, key: str) -> str:
        known = self._in_language(
            "words",
            lambda: {value: str(words) for value, words in self.words.items()},
        )
        return known.get(key) or key.replace("_", " ")

    def reason(self) -> str:
        """Return why nobody can sort by it; nothing where one can."""
        if self.sort:
            return ""
        return self._in_language("reason", lambda: str(self.unsorted))

    def _in_language(self, what: Any, words: Callable[[], Any]) -> Any:
        """Return words in the reader's language, made once."""
        key = (what, formatting.language())
        if key not in self._kept:
            self._kept[key] = words()
        return self._kept[key]

    @property
    def paths(self) -> list[str]:
        """Return the lookup paths of what the text is made of."""
        return [self.key]

    @property
    def has_own_value(self) -> bool:
        """Tell whether Python computes the value, so that no SQL can name it."""
        return self._value is not None

    def related(self, row: Any) -> models.Model | None:
        """Return the other row that the cell leads to, if it leads to one."""
        return None

    def text(self, row: Any) -> str:
        """Return the value in words and figures of the reader's language."""
        return formats.short(self.value(row))

    def export(self, row: Any) -> Any:
        """Return the value for a file: plain, not rounded, not cut."""
        return self.value(row)

    def cell(self, row: Any, links: Links, own_url: str = "") -> Cell:
        """Return the cell for the page."""
        cell = Cell(
            text=self.text(row),
            kind=self.kind,
            css=self.css,
            template=self.template,
            row=row,
        )
        if self.template:
            cell.value = self.value(row)
        if self.link:
            cell.url = own_url
        return cell


class PhoneColumn(Column):
    """A phone number; a tap calls it."""

    scheme = "tel"

    def address(self, text: str) -> str:
        """Return the number as the phone dials it."""
        digits = "".join(one for one in text if one.isdigit())
        return f"+{digits}" if text.lstrip().startswith("+") else digits

    def cell(self, row: Any, links: Links, own_url: str = "") -> Cell:
        """Return the text with the link of its scheme."""
        cell = super().cell(row, links, own_url)
        if cell.text:
            cell.url = f"{self.scheme}:{self.address(cell.text)}"
        return cell


class EmailColumn(PhoneColumn):
    """A mail address; a tap writes to it."""

    scheme = "mailto"

    def address(self, text: str) -> str:
        """Return the address itself."""
        return text


class NumberColumn(Column):
    """A number, right-aligned, with a fixed number of decimals if wanted."""

    align = "end"

    def __init__(
        self, key: str, label: Any = None, *, decimals: int | None = None, **kw
    ):
        super().__init__(key, label, **kw)
        self.decimals = decimals

    def text(self, row: Any) -> str:
        """Return the number with the reader's separators."""
        value = self.value(row)
        return "" if value is None else formatting.number(value, self.decimals)


class PercentColumn(NumberColumn):
    """A share between 0 and 1, shown as a percentage."""

    def text(self, row: Any) -> str:
        """Return the share in per cent."""
        value = self.value(row)
        if value is None:
            return ""
        return formatting.percent(value, 0 if self.decimals is None else self.decimals)


class MoneyColumn(NumberColumn):
    """An amount with its currency: a path on the row, or a code of three capitals."""

    def __init__(
        self, key: str, label: Any = None, *, currency: str = "currency", **kw
    ):
        super().__init__(key, label, **kw)
        self.currency = currency

    @property
    def has_fixed_currency(self) -> bool:
        """Tell whether all amounts are in one currency, which no row names."""
        return len(self.currency) == 3 and self.currency.isupper()

    @property
    def paths(self) -> list[str]:
        """Return the lookup paths of amount and currency."""
        return [self.key] if self.has_fixed_currency else [self.key, self.currency]

    def currency_of(self, row: Any) -> str:
        """Return the code of the currency."""
        if self.has_fixed_currency:
            return self.currency
        return formats.value_at(row, self.currency) or ""

    def text(self, row: Any) -> str:
        """Return the amount with its currency."""
        value = self.value(row)
        if value is None:
            return ""
        return formatting.money(value, self.currency_of(row), self.decimals)


class DateColumn(Column):
    """A day."""

    nowrap = True

    def text(self, row: Any) -> str:
        """Return the day in the reader's language and time zone."""
        value = self.value(row)
        if hasattr(value, "hour"):
            value = formats.local_date(value)
        return formats.plain(value)


class DateTimeColumn(Column):
    """A day with its time."""

    nowrap = True


class BooleanColumn(Column):
    """Yes or no."""

    kind = "boolean"

    def cell(self, row: Any, links: Links, own_url: str = "") -> Cell:
        """Return the words, and the truth for the sign beside them."""
        cell = super().cell(row, links, own_url)
        cell.value = self.value(row)
        return cell


class BadgeColumn(Column):
    """A state, in words on a colour.

    The colour follows the state's code (see docs/ui.md); ``colours`` maps stored values
    to other colours.
    """

    kind = "badge"

    def __init__(
        self,
        key: str,
        label: Any = None,
        *,
        colours: dict[Any, str] | None = None,
        **kw,
    ):
        super().__init__(key, label, **kw)
        self.colours = colours or {}

    def cell(self, row: Any, links: Links, own_url: str = "") -> Cell:
        """Return the words and the colour."""
        cell = super().cell(row, links, own_url)
        cell.value = formats.value_at(row, self.key)
        cell.colour = self.colours.get(cell.value, "")
        return cell


class RelatedColumn(Column):
    """Another row, named, with a link for those who may open it."""

    def __init__(self, key: str, label: Any = None, *, link: bool = True, **kw):
        kw.setdefault("select_related", (key,))
        super().__init__(key, label, link=link, **kw)

    def related(self, row: Any) -> models.Model | None:
        """Return the other row."""
        value = self.value(row)
        return value if self.link and isinstance(value, models.Model) else None

    def cell(self, row: Any, links: Links, own_url: str = "") -> Cell:
        """Return the name, with a link if the reader may follow it."""
        cell = super().cell(row, links)
        cell.url = links.url(self.related(row))
        return cell


def column_for(model: type[models.Model], key: str) -> Column:
    """Return the column that suits a field of the model."""
    found = formats.field_of(model, key)
    if isinstance(found, models.ForeignKey):
        return RelatedColumn(key)
    if isinstance(found, models.EmailField):
        return EmailColumn(key)
    if isinstance(found, models.BooleanField):
        return BooleanColumn(key)
    if isinstance(found, models.DateTimeField):
        return DateTimeColumn(key)
    if isinstance(found, models.DateField):
        return DateColumn(key)
    return Column(key)
