"""Put into words why two customers may be one, and how they differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from crm.access import hidden_fields
from crm.generic import formats
from crm.generic.related import RelatedCount, related_counts
from crm.models import User
from customers.models import Customer, DuplicatePair

# What agrees or differs, by field and level of agreement.
WORDS: dict[tuple[str, str], str | Promise] = {
    ("name", "same"): _("Same name"),
    ("name", "written"): _("Same name, written differently"),
    ("name", "typo"): _("Name differs by a typing error"),
    ("name", "shorter"): _("One name is the shorter form of the other"),
    ("name", "part"): _("Part of the name is the same"),
    ("name", "differs"): _("Different names"),
    ("phone", "same"): _("Same phone number"),
    ("phone", "typo"): _("Phone numbers differ by one digit"),
    ("phone", "differs"): _("Different phone numbers"),
    ("email", "same"): _("Same e-mail address"),
    ("email", "local"): _("Same mailbox name at another provider"),
    ("email", "typo"): _("E-mail addresses differ by a typing error"),
    ("email", "differs"): _("Different e-mail addresses"),
    ("street", "same"): _("Same address"),
    ("street", "typo"): _("Nearly the same address"),
    ("street", "part"): _("Part of the address is the same"),
    ("street", "differs"): _("Different addresses"),
    ("place", "same"): _("Same place"),
    ("place", "part"): _("Same town or postal code"),
    ("place", "typo"): _("Nearly the same place"),
    ("place", "differs"): _("Different places"),
    ("birth", "same"): _("Same birth date"),
    ("birth", "typo"): _("Nearly the same birth date"),
    ("birth", "differs"): _("Different birth dates"),
    ("number", "same"): _("Same tax or register number"),
    ("number", "typo"): _("Nearly the same tax or register number"),
    ("number", "differs"): _("Different tax or register numbers"),
    ("kind", "differs"): _("One is a person, the other a company"),
}
# What is compared, where it is not called as the field is.
FIELDS_OF = {
    "street": ("address",),
    "place": ("city", "postal_code"),
    "birth": ("birth_date",),
    "number": ("custom",),
}
# All fields that the reasons of a pair tell of, seen from the pair.
TOLD = tuple(
    f"customer_a__{name}"
    for name in ("phone", "email", "address", "city", "postal_code", "birth_date")
)
# The fields that are compared side by side; the empty ones of both are left out.
COMPARED = (
    "name",
    "kind",
    "phone",
    "email",
    "website",
    "address",
    "postal_code",
    "city",
    "region",
    "country",
    "birth_date",
    "gender",
    "owner",
    "source",
    "customer_since",
    "external_system",
    "external_id",
    "created_at",
)


@dataclass(frozen=True)
class Reason:
    """One agreement or difference, in words."""

    text: str
    speaks_for: bool


@dataclass(frozen=True)
class Line:
    """One field of two customers."""

    label: str
    one: str
    other: str

    @property
    def differs(self) -> bool:
        """Tell whether the two say different things."""
        return self.one != self.other


def reasons_of(pair: DuplicatePair, user: User | None = None) -> list[Reason]:
    """Return why a pair was found, what weighs most first; what the reader may know."""
    found = []
    hidden = hidden_fields(user, Customer) if user is not None else frozenset()
    for field, level, bits in pair.reasons:
        if hidden & set(FIELDS_OF.get(field, (field,))):
            continue
        text = WORDS.get((field, level))
        if text is not None:
            found.append(Reason(str(text), bits > 0))
    return found


def why(pair: DuplicatePair) -> str:
    """Return the strongest reasons for a pair in one line."""
    texts = [one.text for one in reasons_of(pair) if one.speaks_for]
    return " · ".join(texts[:3])


def lines_of(user: User, one: Customer, other: Customer) -> list[Line]:
    """Return the fields of two customers side by side."""
    found = []
    hidden = hidden_fields(user, Customer)
    for name in COMPARED:
        if name in hidden:
            continue
        field = Customer._meta.get_field(name)
        line = Line(
            capfirst(str(field.verbose_name)), said(one, name), said(other, name)
        )
        if line.one or line.other:
            found.append(line)
    return found


def said(customer: Customer, name: str) -> str:
    """Return a field as people read it."""
    value: Any = getattr(customer, name)
    words = formats.words_of(Customer, name)
    return formats.plain(words.get(value, value) if words and value else value)


def related_of(user: User, pair: DuplicatePair) -> list[list[RelatedCount]]:
    """Return how many rows that the person may see belong to each of the two."""
    return [
        [one for one in related_counts(user, customer) if not one.is_empty]
        for customer in (pair.customer_a, pair.customer_b)
    ]
