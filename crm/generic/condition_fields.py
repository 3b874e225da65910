"""What a condition can ask about: fields by type, their operators and values.

A field takes (operator, values as they stand in the address) and returns a Q object, or
raises ConditionError with a sentence for the reader.
"""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.days import can_be_meant
from crm.generic import formats
from crm.generic.filters import SANE_NUMBER
from crm.generic.periods import PERIODS, first_and_last

if TYPE_CHECKING:
    from crm.models import User

MAX_LENGTH = 200
MAX_DAYS = 36_500
# Operators that take no value, two values, or several.
ALONE = ("empty", "filled")
OPERATORS: dict[str, Any] = {
    "is": gettext_lazy("is"),
    "not": gettext_lazy("is not"),
    "contains": gettext_lazy("contains"),
    "begins": gettext_lazy("begins with"),
    "eq": "=",
    "gte": "≥",
    "lte": "≤",
    "between": gettext_lazy("between"),
    "within": gettext_lazy("in"),
    "on": gettext_lazy("on"),
    "before": gettext_lazy("before"),
    "after": gettext_lazy("after"),
    "older": gettext_lazy("more than … days ago"),
    "any": gettext_lazy("any of"),
    "all": gettext_lazy("all of"),
    "none": gettext_lazy("none of"),
    "empty": gettext_lazy("is empty"),
    "filled": gettext_lazy("is not empty"),
}


class ConditionError(Exception):
    """A condition that cannot be understood; the text is for the reader."""


class ConditionField:
    """One thing that rows can be asked about."""

    kind: ClassVar[str] = "text"
    operators: ClassVar[tuple[str, ...]] = ()
    group = "own"

    def __init__(self, key: str, label: str, *, can_be_empty: bool = True) -> None:
        self.key, self.label = key, label
        self.can_be_empty = can_be_empty

    def offered(self) -> list[tuple[str, Any]]:
        """Return the operators with their words."""
        return [
            (name, OPERATORS[name])
            for name in self.operators
            if self.can_be_empty or name not in ALONE
        ]

    def q(self, operator: str, values: list[str], user: User) -> Q:
        """Return the condition as Q."""
        if operator not in dict(self.offered()):
            raise ConditionError(_("this comparison does not exist here"))
        if operator in ALONE:
            return self.empty() if operator == "empty" else ~self.empty()
        wanted = 2 if operator == "between" else 1
        if len(values) < wanted or "" in values:
            raise ConditionError(_("a value is missing"))
        if operator not in ("any", "all", "none") and len(values) > wanted:
            raise ConditionError(_("these are too many values"))
        return self.compare(operator, values, user)

    def empty(self) -> Q:
        """Return the condition that nothing is there."""
        return Q(**{f"{self.key}__isnull": True})

    def compare(self, operator: str, values: list[str], user: User) -> Q:
        """Return the condition for an operator that takes values."""
        raise NotImplementedError

    def words(self, operator: str, values: list[str], user: User) -> str:
        """Return operator and values as people say them."""
        if operator in ALONE:
            return str(OPERATORS[operator])
        said = [self.word(value) for value in values]
        if operator == "between":
            return _("between %(low)s and %(high)s") % {
                "low": said[0],
                "high": said[1],
            }
        return f"{OPERATORS[operator]} {', '.join(said)}"

    def word(self, value: str) -> str:
        """Return one value as people say it."""
        return value

    def choices(self, values: Iterable[str], user: User) -> list[tuple[str, Any]]:
        """Return what can be chosen, at least the values that are chosen."""
        return []


class TextField(ConditionField):
    """Words; exact comparison is what an index answers."""

    operators = ("is", "not", "contains", "begins", "empty", "filled")
    lookups: ClassVar[dict[str, str]] = {
        "contains": "icontains",
        "begins": "istartswith",
    }

    def empty(self) -> Q:
        return Q(**{self.key: ""}) | Q(**{f"{self.key}__isnull": True})

    def compare(self, operator: str, values: list[str], user: User) -> Q:
        if operator == "not":
            return ~Q(**{self.key: values[0]})
        lookup = self.lookups.get(operator, "exact")
        return Q(**{f"{self.key}__{lookup}": values[0]})

    def word(self, value: str) -> str:
        return f"“{value}”" if value != value.strip() else value


def number_of(text: str) -> decimal.Decimal:
    """Return a finite number of a sane length."""
    try:
        value = decimal.Decimal(text)
        SANE_NUMBER(value)
    except (decimal.InvalidOperation, ValidationError, ValueError) as error:
        raise ConditionError(_("“%(text)s” is no number") % {"text": text}) from error
    return value


class NumberField(ConditionField):
    """A number or an amount of money."""

    kind = "number"
    operators = ("eq", "gte", "lte", "between", "empty", "filled")

    def compare(self, operator: str, values: list[str], user: User) -> Q:
        numbers = [number_of(value) for value in values]
        if operator == "between":
            if numbers[0] > numbers[1]:
                raise ConditionError(_("the first value is above the second"))
            return self.span(*numbers)
        if operator == "eq":
            return self.span(numbers[0], numbers[0])
        return self.span(
            *((numbers[0], None) if operator == "gte" else (None, *numbers))
        )

    def span(self, low: decimal.Decimal | None, high: decimal.Decimal | None) -> Q:
        """Return the condition that the value lies between two, both included."""
        found = Q()
        if low is not None:
            found &= Q(**{f"{self.key}__gte": low})
        if high is not None:
            found &= Q(**{f"{self.key}__lte": high})
        return found

    def word(self, value: str) -> str:
        return formats.plain(number_of(value))


def day_of(text: str) -> datetime.date:
    """Return a day that somebody can have meant."""
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError as error:
        raise ConditionError(_("“%(text)s” is no date") % {"text": text}) from error
    if not can_be_meant(day):
        raise ConditionError(_("This year cannot be meant."))
    return day


class DayField(ConditionField):
    """A day, or a moment (which belongs to a day on the reader's calendar)."""

    kind = "day"
    operators = (
        *("within", "on", "before", "after", "between", "older"),
        *("empty", "filled"),
    )

    def __init__(self, *args: Any, has_time: bool = False, **options: Any) -> None:
        super().__init__(*args, **options)
        self.has_time = has_time

    def compare(self, operator: str, values: list[str], user: User) -> Q:
        today = timezone.localdate()
        one = datetime.timedelta(days=1)
        if operator == "within":
            if values[0] not in PERIODS:
                raise ConditionError(_("this span of time does not exist"))
            return self.span(*first_and_last(values[0], today))
        if operator == "older":
            return self.span(None, today - (self.count(values[0]) + 1) * one)
        days = [day_of(value) for value in values]
        if operator == "between":
            if days[0] > days[1]:
                raise ConditionError(_("the first value is above the second"))
            return self.span(*days)
        if operator == "before":
            return self.span(None, days[0] - one)
        return (
            self.span(days[0] + one, None)
            if operator == "after"
            else self.span(days[0], days[0])
        )

    def count(self, text: str) -> int:
        """Return a number of days."""
        if not text.isascii() or not text.isdigit() or len(text) > 5:
            raise ConditionError(_("“%(text)s” is no number of days") % {"text": text})
        if int(text) > MAX_DAYS:
            raise ConditionError(_("This year cannot be meant."))
        return int(text)

    def span(self, first: datetime.date | None, last: datetime.date | None) -> Q:
        """Return the condition that the day lies between two, both included."""
        found = Q()
        if first is not None:
            found &= Q(**{f"{self.key}__gte": self.start_of(first)})
        if last is not None:
            after = self.start_of(last + datetime.timedelta(days=1))
            found &= Q(**{f"{self.key}__lt": after})
        return found

    def start_of(self, day: datetime.date) -> datetime.date:
        """Return the day, or the moment when it begins where the reader is."""
        if not self.has_time:
            return day
        midnight = datetime.datetime.combine(day, datetime.time())
        return timezone.make_aware(midnight)

    def words(self, operator: str, values: list[str], user: User) -> str:
        if operator == "within":
            return _("in: %(period)s") % {"period": PERIODS[values[0]]}
        if operator == "older":
            return _("more than %(count)s days ago") % {"count": values[0]}
        return super().words(operator, values, user)

    def word(self, value: str) -> str:
        return formats.plain(day_of(value))


class ChoiceField(ConditionField):
    """One of a fixed list of words."""

    kind = "choice"
    operators = ("any", "none", "empty", "filled")

    def __init__(
        self, *args: Any, options: Any = (), is_text: bool = True, **more: Any
    ) -> None:
        super().__init__(*args, **more)
        self._options, self.is_text = options, is_text

    @property
    def options(self) -> dict[str, Any]:
        """Return {value: words}."""
        found = self._options() if callable(self._options) else self._options
        return {str(value): words for value, words in found if value not in ("", None)}

    def empty(self) -> Q:
        nothing = Q(**{f"{self.key}__isnull": True})
        return nothing | Q(**{self.key: ""}) if self.is_text else nothing

    def compare(self, operator: str, values: list[str], user: User) -> Q:
        if not set(values) <= set(self.options):
            raise ConditionError(_("a chosen value does not exist"))
        found = self.one_of(values)
        return ~found if operator == "none" else found

    def one_of(self, values: list[str]) -> Q:
        """Return the condition that the value is one of these."""
        return Q(**{f"{self.key}__in": values})

    def words(self, operator: str, values: list[str], user: User) -> str:
        if operator in ALONE:
            return str(OPERATORS[operator])
        options = self.options
        said = ", ".join(str(options.get(value, value)) for value in values)
        return f"{OPERATORS[operator]} {said}"

    def choices(self, values: Iterable[str], user: User) -> list[tuple[str, Any]]:
        return list(self.options.items())


class BooleanField(ChoiceField):
    """Yes or no."""

    kind = "boolean"
    operators = ("is", "empty", "filled")

    def __init__(self, *args: Any, **more: Any) -> None:
        yes_and_no = (("yes", gettext_lazy("Yes")), ("no", gettext_lazy("No")))
        super().__init__(*args, options=yes_and_no, is_text=False, **more)

    def one_of(self, values: list[str]) -> Q:
        return Q(**{self.key: values[0] == "yes"})
