"""Named filters over customers."""

from crm.access import VisibleQuerySet


class CustomerQuerySet(VisibleQuerySet):
    """Customers."""

    def people(self) -> "CustomerQuerySet":
        """Keep the private customers."""
        return self.filter(kind="person")

    def companies(self) -> "CustomerQuerySet":
        """Keep the companies."""
        return self.filter(kind="company")
