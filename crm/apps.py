"""Start-up of the framework: find what the apps have declared."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

# Django's own catalogue leaves a foreign word in these; ours comes first.
gettext_noop("Enter a valid email address.")


class CrmConfig(AppConfig):
    """Load every app's declarations once all models are there."""

    name = "crm"
    label = "crm"
    verbose_name = _("Platform")

    def ready(self) -> None:
        from crm import checks  # noqa: F401  (registers the system checks)
        from crm.grants import seed_grants
        from crm.history import triggers as history
        from crm.search import triggers as search
        from crm.security import receivers  # noqa: F401  (listens to what happens)

        post_migrate.connect(seed_grants, sender=self)
        post_migrate.connect(search.keep_installed, sender=self)
        post_migrate.connect(history.keep_installed, sender=self)
        autodiscover_modules("pages", "panels", "tiles", "receivers", "jobs", "imports")
