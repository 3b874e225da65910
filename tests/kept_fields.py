"""Fields that a role keeps back, for the tests of them."""

import io
import zipfile

from crm.models import FieldRule, Role, User
from crm.testing.rights import grant


def rule(model, field, mode="read_only"):
    FieldRule.objects.create(
        role=Role.objects.get(code="representative"),
        model=model._meta.label_lower,
        field=field,
        mode=mode,
    )


def fresh(person):
    """Return the person as the next request reads them, with the rules of now."""
    return User.objects.get(pk=person.pk)


KINDS = (
    *("customers.customer", "customers.contact", "customers.duplicatepair"),
    *("sales.lead", "sales.opportunity", "sales.order"),
    *("service.ticket", "service.message"),
)


def may_do_everything(world):
    """Return Ana, whose role may do everything with every row: only rules hold her."""
    grant("representative", KINDS)
    return world.ana


def body(response):
    parts = response.streaming_content if response.streaming else [response.content]
    content = b"".join(parts)
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            content = b"".join(map(book.read, book.namelist()))
    return content.decode("utf-8", "replace")
