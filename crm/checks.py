"""System checks of the framework's own rules."""

from django.apps import apps
from django.core.checks import CheckMessage, Error, register


@register()
def check_access_declared(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    """Refuse a business model that does not say whose its rows are."""
    from crm.models import BaseModel

    return [
        Error(
            f"{model._meta.label} declares neither access_path nor access_shared.",
            hint="See docs/access.md.",
            obj=model,
            id="crm.E001",
        )
        for model in apps.get_models()
        if issubclass(model, BaseModel)
        and not hasattr(model, "access_path")
        and not getattr(model, "access_shared", False)
    ]
