"""Say what stands in the way."""

from django.utils.translation import gettext_lazy as _

from crm.history import plan

REASONS = {
    plan.CHANGED: _("It was changed again later."),
    plan.NEEDED: _("Other rows depend on it now."),
    plan.PARENT: _("What it belongs to is gone."),
    plan.PART: _("It belongs to a row that stays."),
    plan.TAKEN: _("Another row has taken its place."),
    plan.GONE: _("It is gone."),
    plan.REACH: _("You may not do this with it."),
}
