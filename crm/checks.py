"""System checks of the framework's own rules."""

from django.apps import apps
from django.core.checks import CheckMessage, Error, register

QUICK_FIELDS = range(3, 6)


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


@register()
def check_quick_fields(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    """Refuse a short form that cannot be saved, or is not short."""
    from crm.generic.registry import registry

    found: list[CheckMessage] = []
    for pages in registry.pages.values():
        quick = pages.quick_fields
        if not quick:
            continue
        fields = pages.form.base_fields
        missing = [
            name
            for name, field in fields.items()
            if name not in quick and field.required and not has_default(pages, name)
        ]
        if missing or len(quick) not in QUICK_FIELDS or not set(quick) <= set(fields):
            text = f"{pages.model._meta.label}: quick_fields are {quick}"
            hint = f"Three to five fields of the form, with those required: {missing}."
            found.append(Error(text, hint=hint, obj=pages.model, id="crm.E003"))
    return found


def has_default(pages: object, name: str) -> bool:
    """Tell whether the model fills in the field, or the form the person."""
    return name == "owner" or pages.model._meta.get_field(name).has_default()
