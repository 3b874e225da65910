"""Leads."""

from __future__ import annotations

from typing import ClassVar

from django.utils.translation import gettext_lazy as _

from crm.importing.columns import Code, Owner, of
from crm.importing.importer import Profile, register_importer
from crm.importing.rows import RowImporter
from customers.imports import SOURCE_WORDS
from sales.models import Lead


@register_importer
class LeadImporter(RowImporter):
    """Leads, recognised by their id outside, else by email, phone or name."""

    name = "sales.lead"
    label = _("Leads")
    model = Lead
    aliases = ("leads", "lead")
    match_on = (
        ("external_system", "external_id"),
        ("email",),
        ("phone",),
        ("name", "company"),
        ("name",),
    )
    columns = (
        of(
            Lead,
            "external_id",
            kind=Code,
            aliases=("lead id", "id", "mql id", "线索编号"),
        ),
        of(Lead, "external_system", aliases=("system", "来源系统")),
        of(
            Lead,
            "name",
            required=False,
            aliases=("full name", "contact", "contact name", "姓名", "联系人"),
        ),
        of(Lead, "company", aliases=("company name", "organization", "公司")),
        of(Lead, "email", aliases=("email address", "e-mail", "邮箱", "电子邮件")),
        of(Lead, "phone", aliases=("telephone", "mobile", "电话", "手机")),
        of(
            Lead,
            "source",
            synonyms=SOURCE_WORDS,
            aliases=("origin", "channel", "lead source", "来源", "渠道"),
        ),
        of(Lead, "landing_page", aliases=("landing page id", "page", "落地页")),
        of(
            Lead,
            "first_contact_on",
            aliases=("first contact date", "created", "date", "首次联系", "日期"),
        ),
        of(Lead, "state", aliases=("status", "状态")),
        of(Lead, "notes", aliases=("note", "comment", "备注")),
        Owner("owner", _("Owner"), aliases=("sales agent", "负责人")),
    )
    fallbacks: ClassVar = {
        "name": "coalesce(s.company, s.email, 'Lead ' || left(s.external_id, 8))"
    }
    profiles: ClassVar = [
        Profile(
            code="olist-leads",
            label="Olist: leads",
            mapping={
                "mql_id": "external_id",
                "first_contact_date": "first_contact_on",
                "landing_page_id": "landing_page",
                "origin": "source",
            },
            constants={"external_system": "olist"},
        )
    ]
