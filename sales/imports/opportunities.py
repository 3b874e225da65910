"""Opportunities, with the leads that they came from and the customers they won."""

# ruff: noqa: S608  (SQL is put together from names that the program declares)
from __future__ import annotations

from typing import ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.access import Verb
from crm.importing.columns import Code, Owner, Reference, Text, of
from crm.importing.importer import Profile, register_importer
from crm.importing.rows import RowImporter
from crm.importing.work import Work, sequence
from customers.models import Customer
from sales.choices import LeadState, StageKind
from sales.imports import opportunity_sql as sql
from sales.models import Lead, Opportunity, StageChange


@register_importer
class OpportunityImporter(RowImporter):
    """Opportunities, recognised by their id outside, by their lead's, or by name.

    A won one converts its lead and makes a customer; each gets its stage history.
    """

    name = "sales.opportunity"
    label = gettext_lazy("Opportunities")
    model = Opportunity
    aliases = ("opportunities", "opportunity", "deals")
    creates = (Customer,)
    keeps_details = True
    match_on = (
        ("external_system", "external_id"),
        ("external_system", "lead_ref"),
        ("name", "customer_name"),
        ("name",),
    )
    columns = (
        of(
            Opportunity,
            "external_id",
            kind=Code,
            aliases=("opportunity id", "deal id", "id", "商机编号"),
        ),
        of(Opportunity, "external_system", aliases=("system", "来源系统")),
        of(
            Opportunity,
            "name",
            required=False,
            aliases=("opportunity", "deal", "deal name", "商机", "商机名称"),
        ),
        Code(
            "lead_ref",
            gettext_lazy("Outside id of the lead"),
            max_length=100,
            aliases=("lead id", "mql id", "线索编号"),
        ),
        Code(
            "customer_ref",
            gettext_lazy("Outside id of the customer"),
            max_length=100,
            aliases=("customer id", "account id", "seller id", "客户编号"),
        ),
        Text(
            "customer_name",
            gettext_lazy("Name of the customer"),
            max_length=200,
            aliases=("customer", "account", "company", "客户", "公司"),
        ),
        Reference(
            "stage",
            gettext_lazy("Stage"),
            max_length=80,
            aliases=("deal stage", "status", "阶段"),
        ),
        of(
            Opportunity,
            "amount",
            aliases=("value", "close value", "deal value", "金额"),
        ),
        of(Opportunity, "currency", aliases=("货币",)),
        of(Opportunity, "expected_close", aliases=("close date", "预计成交")),
        of(
            Opportunity,
            "closed_at",
            aliases=("won date", "closed", "closed on", "成交时间", "关闭时间"),
        ),
        of(Opportunity, "lost_reason", aliases=("loss reason", "丢单原因")),
        of(Opportunity, "notes", aliases=("note", "comment", "备注")),
        Owner("owner", gettext_lazy("Owner"), aliases=("sales agent", "负责人")),
    )
    lookups: ClassVar = {
        "stage_id": ("stage", sql.STAGE_ID),
        "lead_id": ("lead_ref", sql.LEAD_ID),
        "customer_id": (
            "customer_key",
            f"(SELECT c.id FROM imp_customers c WHERE c.key = {sql.CUSTOMER_KEY})",
        ),
    }
    fallbacks: ClassVar = {
        "name": "coalesce(s.customer_name,"
        " 'Deal ' || left(coalesce(s.external_id, s.lead_ref), 8))",
        "stage_id": sql.FIRST_STAGE,
        "external_id": "s.lead_ref",
        "closed_at": f"CASE WHEN {sql.IS_CLOSED} THEN now() END",
    }
    profiles: ClassVar = [
        Profile(
            code="olist-deals",
            label=gettext_lazy("Olist: won deals"),
            mapping={
                "mql_id": "lead_ref",
                "seller_id": "customer_ref",
                "won_date": "closed_at",
                "business_segment": "details",
                "lead_type": "details",
                "lead_behaviour_profile": "details",
                "has_company": "details",
                "has_gtin": "details",
                "average_stock": "details",
                "business_type": "details",
                "declared_product_catalog_size": "details",
                "declared_monthly_revenue": "details",
            },
            constants={"external_system": "olist", "stage": "won"},
            options={"time_zone": "America/Sao_Paulo", "customer_kind": "company"},
        )
    ]

    def default_constants(self, keys: set[str]) -> dict[str, str]:
        """Name the outside system where an id from outside is given."""
        if keys & {"external_id", "lead_ref", "customer_ref"}:
            return {"external_system": "import"}
        return {}

    def match_condition(self, key: str) -> str:
        """Let an opportunity carry the id of its lead."""
        if key == "lead_ref":
            return "m.external_id = s.lead_ref"
        if key == "customer_name":
            return (
                "m.customer_id = (SELECT c.id FROM imp_customers c"
                f" WHERE c.key = {sql.CUSTOMER_KEY})"
            )
        return super().match_condition(key)

    # --- Prepare --------------------------------------------------------------

    def complete(self, work: Work) -> None:
        """Find or plan the customers."""
        work.run(sql.CUSTOMERS)
        work.run(sql.FIND_CUSTOMERS)
        beyond = work.out_of_reach(Customer, Verb.VIEW, "c.id")
        if beyond:
            work.reject(
                sql.HIDDEN_CUSTOMERS,
                _("This customer exists, and you may not use it."),
                column=str(self.by_key["customer_ref"].label),
                beyond=beyond,
            )
        work.run(sql.NEW_CUSTOMERS, next_id=sequence(Customer))
        if work.has("customer_ref") or work.has("customer_name"):
            work.staged = work.staged | {"customer_key"}

    def check(self, work: Work) -> None:
        """Refuse unknown stages and leads, and leads that are not the actor's."""
        rows = "SELECT s.line, {shown}, NULL FROM {staging} s WHERE NOT s.bad AND "
        label = {key: str(column.label) for key, column in self.by_key.items()}
        work.reject(
            rows + f"s.stage IS NOT NULL AND {sql.STAGE_ID} IS NULL",
            _("There is no such stage."),
            column=label["stage"],
            shown="s.stage",
        )
        work.reject(
            rows + f"s.lead_ref IS NOT NULL AND {sql.LEAD_ID} IS NULL",
            _("There is no lead with this id; import the leads first."),
            column=label["lead_ref"],
            shown="s.lead_ref",
        )
        if beyond := work.out_of_reach(Lead, Verb.CHANGE, sql.LEAD_ID):
            work.reject(
                rows + f"s.lead_ref IS NOT NULL AND {beyond}",
                _("This exists, and it is not yours to change."),
                column=label["lead_ref"],
                shown="s.lead_ref",
            )

    def prepare(self, work: Work) -> None:
        """Find the stage moves, leads and customers that go with the rows."""
        super().prepare(work)
        stage = self.values(work).get("stage_id", "NULL")
        work.run(sql.MOVES, stage=stage, first=sql.FIRST_STAGE)
        work.run(sql.CONVERTED)
        moves, leads, customers = work.fetch(sql.COUNT_OBJECTS)[0]
        work.counts.add(StageChange, moves)
        work.counts.add(Lead, 0, leads)
        work.counts.add(Customer, customers)

    # --- Write ----------------------------------------------------------------

    def write(self, work: Work) -> None:
        """Add the customers and opportunities, their history, and close the leads."""
        owner = f"{work.actor.pk if work.actor else 'NULL'}::bigint"
        kind = str(work.options.get("customer_kind") or "company")
        work.insert(Customer, sql.customer_values(owner), sql.FROM_CUSTOMERS, [kind])
        super().write(work)
        actor = {"actor_id": owner}
        work.insert(StageChange, sql.MOVE_VALUES | actor, sql.FROM_MOVES)
        states = [LeadState.CONVERTED, LeadState.LOST, work.now, StageKind.WON]
        work.run(sql.CLOSE_LEADS, [StageKind.WON, *states[:3]])
