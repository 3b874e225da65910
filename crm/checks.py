"""System checks of the framework's own rules."""

from django.apps import apps
from django.core.checks import CheckMessage, Error, register


@register()
def check_search_numbers(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    """Refuse two searched models whose names give the same number."""
    from crm.search.declaration import all_searches

    by_number: dict[int, list[str]] = {}
    for search in all_searches():
        by_number.setdefault(search.kind, []).append(search.model._meta.label)
    return [
        Error(
            f"{' and '.join(labels)} have the same number in the search.",
            hint="See kind_of in crm/search/declaration.py.",
            id="crm.E002",
        )
        for labels in by_number.values()
        if len(labels) > 1
    ]


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
