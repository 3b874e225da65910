"""What a flat file can fill in customers."""

# ruff: noqa: S608  (SQL is put together from names that the program declares)
from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.access import Verb
from crm.importing.columns import Code, Date, Owner, Phone, Reference, Text, of
from crm.importing.importer import Profile, register_importer
from crm.importing.rows import RowImporter
from crm.importing.work import Work, sequence
from customers.choices import Kind
from customers.models import Contact, Customer

# What other programs call our channels.
SOURCE_WORDS = {
    "organic_search": "organic",
    "organic": "organic",
    "seo": "organic",
    "自然搜索": "organic",
    "paid_search": "paid",
    "sem": "paid",
    "ppc": "paid",
    "adwords": "paid",
    "social": "social",
    "social_media": "social",
    "facebook": "social",
    "wechat": "social",
    "微信": "social",
    "direct_traffic": "direct",
    "direct": "direct",
    "newsletter": "email",
    "referral": "referral",
    "partner": "referral",
    "转介绍": "referral",
    "display": "display",
    "banner": "display",
    "other_publicities": "other",
    "n/a": "unknown",
}
GENDER_WORDS = {
    **dict.fromkeys(("f", "w", "woman", "0", "女"), "female"),
    **dict.fromkeys(("m", "man", "1", "男"), "male"),
}
KIND_WORDS = {
    "individual": "person",
    "b2c": "person",
    "business": "company",
    "organization": "company",
    "b2b": "company",
}


def not_in_future(day: Any) -> None:
    """Refuse a birth date that is still to come, as the form does."""
    if day > timezone.localdate():
        raise ValidationError(_("A birth date lies in the past."))


ADDRESS = {
    "address": ("street", "address line 1", "地址"),
    "postal_code": ("zip", "zip code", "postcode", "plz", "邮编", "邮政编码"),
    "city": ("town", "城市"),
    "region": ("state", "province", "county", "省", "省份", "地区"),
    "country": ("nation", "国家"),
}
COMMON = (
    *(of(Customer, name, aliases=words) for name, words in ADDRESS.items()),
    of(Customer, "website", aliases=("web", "url", "homepage", "网站", "网址")),
)
FULL_NAME = "nullif(concat_ws(' ', s.first_name, s.last_name), '')"
FILL_NAMES = f"""
UPDATE {{staging}} s SET name = coalesce(s.name, {FULL_NAME})
WHERE s.name IS NULL AND {FULL_NAME} IS NOT NULL
"""
FIRST_NAME = Text(
    "first_name",
    gettext_lazy("First name"),
    max_length=100,
    aliases=("given name", "forename", "vorname", "名"),
)
LAST_NAME = Text(
    "last_name",
    gettext_lazy("Last name"),
    max_length=99,
    aliases=("surname", "family name", "nachname", "姓"),
)


def fill_names(work: Work) -> None:
    """Join first and last names; rows without any name are rejected."""
    if work.has("first_name") or work.has("last_name"):
        work.run(FILL_NAMES)
        work.staged = work.staged | {"name"}
    work.reject(
        "SELECT s.line, '', NULL FROM {staging} s WHERE NOT s.bad AND s.name IS NULL",
        _("This value is missing."),
        column=str(work.importer.by_key["name"].label),
    )


def has_a_name(keys: set[str]) -> bool:
    """Tell whether the mapping gives names in one way or the other."""
    return bool(keys & {"name", "first_name", "last_name"})


@register_importer
class CustomerImporter(RowImporter):
    """Customers, recognised by their id outside, else by email, phone or name."""

    name = "customers.customer"
    label = gettext_lazy("Customers")
    model = Customer
    aliases = ("customers", "customer")
    match_on = (
        ("external_system", "external_id"),
        ("email",),
        ("phone",),
        ("name", "postal_code"),
        ("name",),
    )
    columns = (
        of(
            Customer,
            "external_id",
            kind=Code,
            aliases=("customer id", "id", "account id", "客户编号", "编号"),
        ),
        of(Customer, "external_system", aliases=("system", "来源系统")),
        of(
            Customer,
            "name",
            required=False,
            aliases=("full name", "customer", "account", "company", "姓名", "客户名称"),
        ),
        FIRST_NAME,
        LAST_NAME,
        of(Customer, "kind", synonyms=KIND_WORDS, aliases=("type", "类型")),
        of(Customer, "email", aliases=("email address", "e-mail", "mail", "邮箱")),
        of(
            Customer,
            "phone",
            kind=Phone,
            aliases=(
                "phone number",
                "phone 1",
                "telephone",
                "mobile",
                "电话",
                "手机号",
            ),
        ),
        *COMMON,
        of(
            Customer,
            "birth_date",
            kind=Date,
            validators=[not_in_future],
            aliases=("birthday", "date of birth", "dob", "出生日期", "生日"),
        ),
        of(Customer, "gender", synonyms=GENDER_WORDS, aliases=("sex", "性别")),
        of(
            Customer,
            "annual_income",
            aliases=("income", "revenue", "salary", "年收入", "收入"),
        ),
        of(Customer, "currency", aliases=("货币",)),
        of(
            Customer,
            "source",
            synonyms=SOURCE_WORDS,
            aliases=("channel", "origin", "来源", "渠道"),
        ),
        of(Customer, "acquisition_cost", aliases=("cost", "cac", "获客成本")),
        of(
            Customer,
            "customer_since",
            aliases=("since", "member since", "signup date", "注册日期"),
        ),
        Owner("owner", gettext_lazy("Owner"), aliases=("account manager", "负责人")),
    )

    def check_mapping(self, keys: set[str]) -> str:
        """Ask for a name in one way or the other."""
        if not has_a_name(keys):
            return _("Choose a column for the name.")
        known = keys | ({"name"} if has_a_name(keys) else set())
        return super().check_mapping(known)

    def complete(self, work: Work) -> None:
        """Join the parts of names."""
        fill_names(work)


COMPANIES = """
CREATE TEMP TABLE imp_companies ON COMMIT DROP AS
SELECT DISTINCT ON (lower(s.company)) lower(s.company) AS key, s.company AS name,
    s.address, s.postal_code, s.city, s.region, s.country, s.website, s.company_phone,
    s.line, 0::bigint AS matches, NULL::bigint AS id, false AS is_new
FROM {staging} s WHERE NOT s.bad AND s.company IS NOT NULL
ORDER BY lower(s.company), s.line
"""
FIND_COMPANIES = """
UPDATE imp_companies c SET id = f.id, matches = f.matches FROM (
    SELECT c.key, min(m.id) AS id, count(*) AS matches FROM imp_companies c
    JOIN customers_customer m ON lower(m.name) = c.key AND m.kind = %s GROUP BY c.key
) f WHERE f.key = c.key
"""
COMPANY_ROWS = """
SELECT s.line, s.company, c.matches::text FROM {staging} s
JOIN imp_companies c ON c.key = lower(s.company) WHERE NOT s.bad AND {test}
"""
NEW_COMPANIES = (
    "UPDATE imp_companies SET is_new = true, id = {next_id} WHERE id IS NULL"
)
FROM_COMPANIES = """
FROM imp_companies c WHERE c.is_new AND EXISTS (
    SELECT 1 FROM {staging} s WHERE lower(s.company) = c.key AND NOT s.bad)
"""
COMPANY_ID = "(SELECT c.id FROM imp_companies c WHERE c.key = lower(s.company))"


@register_importer
class ContactImporter(RowImporter):
    """People at companies; a company that is not there yet is added as a customer.

    The address and website of a row are those of its company. A company that exists is
    left as it is.
    """

    name = "customers.contact"
    label = gettext_lazy("Contacts")
    model = Contact
    aliases = ("contacts", "contact")
    creates = (Customer,)
    match_on = (("company", "email"), ("company", "name"))
    columns = (
        of(
            Contact,
            "name",
            required=False,
            aliases=("full name", "contact", "contact name", "姓名", "联系人"),
        ),
        FIRST_NAME,
        LAST_NAME,
        Reference(
            "company",
            gettext_lazy("Company"),
            required=True,
            max_length=200,
            aliases=("company name", "organization", "customer", "公司", "公司名称"),
        ),
        of(Contact, "job_title", aliases=("title", "position", "职位", "职务")),
        of(Contact, "email", aliases=("email address", "e-mail", "mail", "邮箱")),
        of(
            Contact,
            "phone",
            kind=Phone,
            aliases=("phone number", "phone 1", "mobile", "电话", "手机"),
        ),
        Phone(
            "company_phone",
            gettext_lazy("Phone of the company"),
            fills=("phone",),
            max_length=40,
            aliases=("office phone", "公司电话"),
        ),
        *COMMON,
        of(Contact, "notes", aliases=("note", "comment", "备注")),
    )
    lookups: ClassVar = {"customer_id": ("company", COMPANY_ID)}
    profiles: ClassVar = [
        Profile(
            code="us-contacts",
            label=gettext_lazy("Contact list (US)"),
            mapping={
                "first_name": "first_name",
                "last_name": "last_name",
                "company_name": "company",
                "address": "address",
                "city": "city",
                "state": "region",
                "zip": "postal_code",
                "phone1": "phone",
                "phone2": "company_phone",
                "email": "email",
                "web": "website",
            },
            constants={"country": "United States"},
        )
    ]

    def check_mapping(self, keys: set[str]) -> str:
        """Ask for a name in one way or the other."""
        if not has_a_name(keys):
            return _("Choose a column for the name.")
        return super().check_mapping(keys | {"name"})

    def complete(self, work: Work) -> None:
        """Join the parts of names and find the companies."""
        fill_names(work)
        work.run(COMPANIES)
        work.run(FIND_COMPANIES, [Kind.COMPANY])
        label = str(self.by_key["company"].label)
        work.reject(
            COMPANY_ROWS,
            _("There are [other] companies of this name."),
            column=label,
            test="c.matches > 1",
        )
        beyond = work.out_of_reach(Customer, Verb.VIEW, "c.id")
        if beyond:
            work.reject(
                COMPANY_ROWS,
                _("This customer exists, and you may not use it."),
                column=label,
                test=f"c.id IS NOT NULL AND {beyond}",
            )
        work.run(NEW_COMPANIES, next_id=sequence(Customer))
        work.run("ANALYZE imp_companies")

    def match_condition(self, key: str) -> str:
        """Compare contacts within their company."""
        if key == "company":
            return f"m.customer_id = {COMPANY_ID}"
        return super().match_condition(key)

    def prepare(self, work: Work) -> None:
        """Count the new companies too."""
        super().prepare(work)
        work.counts.add(Customer, work.fetch("SELECT count(*) " + FROM_COMPANIES)[0][0])

    def write(self, work: Work) -> None:
        """Add the companies, then the people."""
        shared = ("address", "postal_code", "city", "region", "country", "website")
        values = {name: f"c.{name}" for name in ("id", "name", *shared)}
        values |= {
            "phone": "c.company_phone",
            "kind": f"'{Kind.COMPANY.value}'",
            "owner_id": f"{work.actor.pk if work.actor else 'NULL'}::bigint",
        }
        work.insert(Customer, values, FROM_COMPANIES)
        super().write(work)
