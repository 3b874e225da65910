"""What a flat file can fill in service."""

# ruff: noqa: S608  (SQL is put together from names that the program declares)
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.access import Verb
from crm.importing.columns import Code, Email, Owner, Reference, of
from crm.importing.importer import Profile, register_importer
from crm.importing.rows import RowImporter
from crm.importing.work import Work
from customers.models import Customer
from service.choices import CategoryOrigin
from service.models import Ticket, TicketCategory

SPLITS = {
    "train": "train",
    "training": "train",
    "dev": "develop",
    "develop": "develop",
    "validation": "develop",
    "test": "test",
}
# A ticket without a number is numbered by the file that it came in, so that the same
# file gives the same numbers.
NUMBERS = """
UPDATE {staging} s SET number =
    left(concat_ws('-', coalesce(s.dataset, %s), s.split), 31)
    || '-' || lpad((s.line - %s)::text, 5, '0')
WHERE s.number IS NULL
"""
# The text of a short question is its subject; a long one is cut for lists.
SUBJECTS = """
UPDATE {staging} s SET
    subject = CASE WHEN x.is_short THEN s.description
        ELSE left(regexp_replace(s.description, '\\s+', ' ', 'g'), 117) || '…' END,
    description = CASE WHEN x.is_short THEN NULL ELSE s.description END
FROM (SELECT line, length(description) <= 300 AND strpos(description, E'\\n') = 0
    AS is_short FROM {staging}) x
WHERE x.line = s.line AND s.subject IS NULL AND s.description IS NOT NULL
"""
CATEGORY_ID = """
(SELECT c.id FROM service_ticketcategory c
WHERE c.code = s.category_code OR lower(c.name) = lower(s.category_code)
ORDER BY c.code = s.category_code DESC, c.id LIMIT 1)
"""
NEW_CATEGORIES = f"""
FROM (SELECT DISTINCT s.category_code AS code FROM {{staging}} s
    WHERE NOT s.bad AND s.category_code IS NOT NULL AND {CATEGORY_ID} IS NULL) x
"""
# The comparisons with '' let the partial indexes be used.
CUSTOMER_ID = """
coalesce((SELECT min(m.id) FROM customers_customer m
    WHERE m.external_id = s.customer_ref AND m.external_id <> ''),
(SELECT min(m.id) FROM customers_customer m
    WHERE m.email = s.customer_email AND m.email <> ''))
"""


@register_importer
class TicketImporter(RowImporter):
    """Tickets, recognised by their number; missing categories are added."""

    name = "service.ticket"
    label = gettext_lazy("Tickets")
    model = Ticket
    aliases = ("tickets", "ticket")
    creates = (TicketCategory,)
    match_on = (("number",),)
    columns = (
        of(
            Ticket,
            "number",
            required=False,
            kind=Code,
            aliases=(
                "ticket",
                "ticket id",
                "case",
                "case number",
                "complaint id",
                "工单号",
            ),
        ),
        of(
            Ticket,
            "subject",
            required=False,
            aliases=("title", "summary", "issue", "主题", "标题"),
        ),
        of(
            Ticket,
            "description",
            aliases=(
                "text",
                "body",
                "message",
                "question",
                "complaint",
                "内容",
                "问题",
            ),
        ),
        Reference(
            "category_code",
            gettext_lazy("Category"),
            max_length=100,
            aliases=("category", "label", "intent", "topic", "类别", "分类", "意图"),
        ),
        of(Ticket, "kind", aliases=("type", "类型")),
        of(Ticket, "state", aliases=("status", "状态")),
        of(Ticket, "urgency", aliases=("priority", "紧急程度", "优先级")),
        of(Ticket, "channel", aliases=("submitted via", "via", "渠道")),
        of(
            Ticket,
            "opened_at",
            aliases=(
                "opened",
                "created",
                "created at",
                "date",
                "date received",
                "时间",
            ),
        ),
        Code(
            "customer_ref",
            gettext_lazy("Outside id of the customer"),
            max_length=100,
            aliases=("customer id", "客户编号"),
        ),
        Email(
            "customer_email",
            gettext_lazy("Email of the customer"),
            max_length=254,
            aliases=("email", "from", "sender", "邮箱", "客户邮箱"),
        ),
        of(Ticket, "dataset", aliases=("data set",)),
        of(Ticket, "split", aliases=("part",)),
        Owner("owner", gettext_lazy("Agent"), aliases=("agent", "assignee", "负责人")),
    )
    lookups: ClassVar = {
        "category_id": (
            "category_code",
            "CASE WHEN s.category_code IS NOT NULL"
            f" THEN coalesce({CATEGORY_ID}, -1) END",
        ),
        "category_origin": (
            "category_code",
            f"CASE WHEN s.category_code IS NOT NULL THEN '{CategoryOrigin.IMPORT}' END",
        ),
        "customer_id": ("customer_ref", CUSTOMER_ID),
    }
    profiles: ClassVar = [
        Profile(
            code="banking77",
            label="BANKING77",
            mapping={"text": "description", "category": "category_code"},
            constants={"dataset": "banking77", "state": "closed", "channel": "chat"},
            options={"split_by_name": True},
            by_header=False,
        ),
        Profile(
            code="zh-intent",
            label=gettext_lazy("Chinese requests (SMP)"),
            mapping={"text": "description", "category": "category_code"},
            constants={"dataset": "zh-intent", "state": "closed", "channel": "chat"},
            options={"split_by_name": True},
            by_header=False,
        ),
    ]

    def constants_for(self, file_name: str) -> dict[str, str]:
        """Read the part of a public collection from the file's name."""
        stem = Path(file_name).name.lower().partition(".")[0]
        split = SPLITS.get(stem)
        return {"split": split} if split else {}

    def check_mapping(self, keys: set[str]) -> str:
        """Ask for a text."""
        if not keys & {"subject", "description"}:
            return _("Choose a column for the subject or the text.")
        return super().check_mapping(keys | {"number"})

    def complete(self, work: Work) -> None:
        """Number the rows that have no number, and shorten long texts to subjects."""
        work.run(NUMBERS, [f"import-{work.file_hash[:8]}", work.header_row])
        work.run(SUBJECTS)
        work.staged = work.staged | {"number", "subject"}
        if work.has("customer_email"):
            # One lookup serves both columns.
            work.staged = work.staged | {"customer_ref"}

    def check(self, work: Work) -> None:
        """Refuse rows without a text, and customers who are not there to be named."""
        rows = "SELECT s.line, {shown}, NULL FROM {staging} s WHERE NOT s.bad AND "
        work.reject(
            rows + "s.subject IS NULL",
            _("This value is missing."),
            column=str(self.by_key["description"].label),
            shown="''",
        )
        if not work.has("customer_ref"):
            return
        named = "coalesce(s.customer_ref, s.customer_email)"
        label = str(self.by_key["customer_ref"].label)
        work.reject(
            rows + f"{named} IS NOT NULL AND {CUSTOMER_ID} IS NULL",
            _("There is no such customer."),
            column=label,
            shown=named,
        )
        beyond = work.out_of_reach(Customer, Verb.VIEW, CUSTOMER_ID)
        if beyond:
            work.reject(
                rows + f"{named} IS NOT NULL AND {beyond}",
                _("There is no such customer."),
                column=label,
                shown=named,
            )

    def changes(self, work: Work) -> Iterator[tuple[str, str]]:
        """Leave a category alone that a person has given, accepted or corrected."""
        for name, given in super().changes(work):
            if name in ("category_id", "category_origin"):
                yield (
                    name,
                    (
                        "CASE WHEN m.category_origin IN ('', "
                        f"'{CategoryOrigin.IMPORT}') THEN {given} END"
                    ),
                )
            else:
                yield name, given

    def prepare(self, work: Work) -> None:
        """Count the new categories too."""
        super().prepare(work)
        if work.has("category_code"):
            query = "SELECT count(*) " + NEW_CATEGORIES
            work.counts.add(TicketCategory, work.fetch(query)[0][0])

    def write(self, work: Work) -> None:
        """Add the missing categories, then the tickets."""
        if work.has("category_code"):
            name = "replace(replace(x.code, '_', ' '), '-', ' ')"
            values = {
                "code": "x.code",
                "name": f"left(upper(left({name}, 1)) || substr({name}, 2), 120)",
            }
            work.insert(TicketCategory, values, NEW_CATEGORIES)
        super().write(work)
