"""Named filters over customers."""

from crm.access import Verb, VisibleQuerySet, condition_by_ids, scope_of
from crm.models import User


class CustomerQuerySet(VisibleQuerySet):
    """Customers."""

    def people(self) -> "CustomerQuerySet":
        """Keep the private customers."""
        return self.filter(kind="person")

    def companies(self) -> "CustomerQuerySet":
        """Keep the companies."""
        return self.filter(kind="company")


class DuplicatePairQuerySet(VisibleQuerySet):
    """Pairs of customers."""

    def visible_to(self, user: User, verb: str = Verb.VIEW) -> "DuplicatePairQuerySet":
        """Keep the pairs of which the person may see both customers, too."""
        customer = self.model._meta.get_field("customer_a").related_model
        scope = scope_of(user, Verb.VIEW, customer)
        if scope is None:
            return self.none()
        rows = super().visible_to(user, verb)
        # The pair's paths lead to the owners of both.
        return rows.filter(condition_by_ids(self.model, user, scope))
