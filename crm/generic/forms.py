"""Forms that offer, and take, only rows that the person may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth import get_user_model
from django.core.cache import caches
from django.db import models
from django.db.models import Q
from django.forms.models import (
    BaseInlineFormSet,
    ModelChoiceField,
    ModelFormMetaclass,
)

from crm.access import (
    VisibleQuerySet,
    hidden_fields,
    is_among,
    read_only_fields,
    restrict_choices,
)
from crm.audit import stored_name
from crm.custom.kinds import ReferenceKind, add_to_form, write_to_row
from crm.days import bound_days
from crm.generic.registry import registry
from crm.money import CurrencyField

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crm.models import User

# Up to so many rows below a row are edited on one page; Django alone builds 2,000.
MAX_ROWS = 200
# Up to so many rows a relation is a plain list; above, the browser asks as one types.
MAX_OPTIONS = 100


# Models that were too big for a plain list a moment ago are not asked again each time.
BIG_FOR = 300


def big_key(queryset: models.QuerySet) -> str:
    """Return under which name it is remembered that a model is big."""
    return f"form.is_big.{queryset.model._meta.label_lower}"


def is_big(queryset: models.QuerySet) -> bool:
    """Tell whether the model was seen to be too big for a plain list."""
    return big_key(queryset) in caches["process"]


class RelatedSelect(forms.Select):
    """A list of related rows: all of them if few, else the chosen one and a search."""

    def optgroups(self, name: str, value: list[str], attrs: Any = None) -> list[Any]:
        """Return the options; never more than MAX_OPTIONS and the chosen ones."""
        choices = self.choices
        queryset = getattr(choices, "queryset", None)
        if queryset is None:
            return super().optgroups(name, value, attrs)
        field = choices.field
        has_search = self.search_url(queryset) != ""
        rows = (
            [] if has_search and is_big(queryset) else list(queryset[: MAX_OPTIONS + 1])
        )
        if len(rows) > MAX_OPTIONS and has_search:
            caches["process"].set(big_key(queryset), True, BIG_FOR)
        if has_search and is_big(queryset):
            chosen = [one for one in value if str(one).isdigit()]
            key = field.to_field_name or "pk"
            rows = list(queryset.filter(**{f"{key}__in": chosen})) if chosen else []
        self.choices = [
            *([("", field.empty_label or "")] if field.empty_label is not None else []),
            *(
                (field.prepare_value(row), field.label_from_instance(row))
                for row in rows
            ),
        ]
        try:
            return super().optgroups(name, value, attrs)
        finally:
            self.choices = choices

    def build_attrs(self, base_attrs: Any, extra_attrs: Any = None) -> dict[str, Any]:
        """Tell the browser where to search."""
        attrs = {"data-enhance": "", **super().build_attrs(base_attrs, extra_attrs)}
        queryset = getattr(self.choices, "queryset", None)
        url = self.search_url(queryset) if queryset is not None else ""
        return attrs | {"data-enhance-url": url} if url else attrs

    def search_url(self, queryset: models.QuerySet) -> str:
        """Return where the browser may search, if the model has such a page."""
        pages = registry.pages_of(queryset.model)
        return pages.url("choices") if pages and pages.is_searchable else ""


class RelatedSelectMultiple(RelatedSelect, forms.SelectMultiple):
    """The same for several related rows."""

    allow_multiple_selected = True


def use_pickers(form: forms.BaseForm) -> None:
    """Give every relation field the picker that stays small."""
    for field in form.fields.values():
        if not isinstance(field, ModelChoiceField):
            continue
        widget = field.widget
        if isinstance(widget, RelatedSelect) or widget.is_hidden:
            continue
        if type(widget) is forms.Select:
            new = RelatedSelect(attrs=widget.attrs)
        elif type(widget) is forms.SelectMultiple:
            new = RelatedSelectMultiple(attrs=widget.attrs)
        else:
            continue
        new.is_required = widget.is_required
        field.widget = new
        # Setting the queryset again hands the choices to the new widget.
        field.queryset = field.queryset


def offer_active_people(form: forms.BaseForm) -> None:
    """Leave those who can no longer sign in out of the choices."""
    for field in form.fields.values():
        queryset = getattr(field, "queryset", None)
        if queryset is not None and queryset.model is get_user_model():
            field.queryset = queryset.filter(is_active=True)


class KeepsBack(ModelFormMetaclass):
    """Makes forms whose fields follow the rules, whatever their classes do to them."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Make the form, then take out what the person may not see or change."""
        form = super().__call__(*args, **kwargs)
        form.keep_back()
        return form


class VisibleModelForm(forms.ModelForm, metaclass=KeepsBack):
    """A model form for one person.

    Relations offer rows that the person may see (and the present value, so that saving
    keeps it); the owner is the person unless another is chosen.
    """

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Whether the form makes a row; it did so also when the row is saved.
        self.is_new = self.instance._state.adding
        self.actor = actor
        self.custom = add_to_form(self)
        restrict_choices(self, actor)
        offer_active_people(self)
        self._keep_present_values()
        use_pickers(self)
        bound_days(self)
        self._take_currencies_only()
        for field in self.fields.values():
            # A computed default would make an untouched field look changed.
            field.show_hidden_initial = False
        if self.is_new and "owner" in self.fields and not self.initial.get("owner"):
            self.initial["owner"] = actor.pk

    def _take_currencies_only(self) -> None:
        plain = self.fields.get("currency")
        if plain is not None:
            self.fields["currency"] = CurrencyField(
                label=plain.label,
                required=plain.required,
                help_text=plain.help_text,
                initial=plain.initial,
            )

    def _keep_present_values(self) -> None:
        if self.is_new:
            return
        for name, field in self.fields.items():
            if not isinstance(field, ModelChoiceField):
                continue
            present = self.initial.get(name)
            if not present or isinstance(present, list | tuple | models.QuerySet):
                continue
            visible = field.queryset
            if isinstance(visible, VisibleQuerySet):
                model = visible.model
                field.queryset = model._default_manager.filter(
                    Q(pk__in=visible.order_by().values("pk")) | Q(pk=present)
                )

    def keep_back(self) -> None:
        """Leave hidden fields out and let read-only ones keep what is stored.

        A new row has nothing stored yet: its fields of both kinds are left to their
        defaults, but those without which nobody could add a row are asked for.
        """
        model = self._meta.model
        hidden = hidden_fields(self.actor, model)
        kept = read_only_fields(self.actor, model)
        for name in [one for one in self.fields if is_among(one, kept)]:
            if not self.is_new and not is_among(name, hidden):
                self.fields[name].disabled = True
            elif not self.is_new or not self.fields[name].required:
                del self.fields[name]

    def keep_only(self, names: Iterable[str]) -> None:
        """Leave the other fields out, so that saving keeps what is stored in them."""
        for name in set(self.fields) - set(names):
            del self.fields[name]

    def _post_clean(self) -> None:
        """Fill in the owner before the row is checked as a whole."""
        if (
            self.is_new
            and "owner" not in self.fields
            and hasattr(self.instance, "owner_id")
        ):
            self.instance.owner_id = self.instance.owner_id or self.actor.pk
        if self.custom:
            write_to_row(self, self.custom)
        super()._post_clean()

    def _save_m2m(self) -> None:
        """Ask nothing about the links of a new row that is to have none."""
        chosen = self.cleaned_data
        if self.is_new:
            self.cleaned_data = {
                name: value
                for name, value in chosen.items()
                if not (isinstance(value, models.QuerySet) and not value)
            }
        super()._save_m2m()
        self.cleaned_data = chosen

    def changes(self) -> dict[str, list[Any]]:
        """Return {field: [old, new]} for the audit log."""
        found = {}
        for name in self.changed_data:
            if name not in self.cleaned_data:
                continue
            field = self.fields[name]
            old = self.initial.get(name, field.initial)
            new = self.cleaned_data[name]
            kind = self.custom.get(name)
            if kind is not None and not isinstance(kind, ReferenceKind):
                pair = [kind.words(old) or None, kind.words(kind.to_json(new)) or None]
            else:
                pair = [word_of(field, old), word_of(field, new)]
            found[name] = [None, pair[1]] if self.is_new else pair
        return found


def word_of(field: forms.Field, value: Any) -> Any:
    """Return a value as the audit log keeps it: text, or the name of a related row."""
    if value is None or value == "":
        return None
    if isinstance(field, ModelChoiceField):
        if isinstance(value, models.Model):
            return stored_name(value)
        if isinstance(value, list | tuple | models.QuerySet):
            rows = [one if isinstance(one, models.Model) else None for one in value]
            return ", ".join(stored_name(one) for one in rows if one is not None)
        row = field.queryset.model._base_manager.filter(pk=value).first()
        return stored_name(row) if row else str(value)
    return value if isinstance(value, bool | int) else str(value)[:300]


class VisibleInlineFormSet(BaseInlineFormSet):
    """Rows below a row, edited with it; their relations follow the same rule."""

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        self.actor = actor
        super().__init__(*args, **kwargs)

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        """Hand the person to every row's form."""
        kwargs = super().get_form_kwargs(index)
        if issubclass(self.form, VisibleModelForm):
            kwargs["actor"] = self.actor
        return kwargs

    def add_fields(self, form: forms.BaseForm, index: int | None) -> None:
        """Narrow relations of forms that do not do so themselves."""
        super().add_fields(form, index)
        if not isinstance(form, VisibleModelForm):
            restrict_choices(form, self.actor)
            use_pickers(form)


def inline_formset(
    parent: type[models.Model], model: type[models.Model], **options: Any
):
    """Return the formset class for rows below a row, with our rules."""
    options.setdefault("form", VisibleModelForm)
    options.setdefault("formset", VisibleInlineFormSet)
    options.setdefault("extra", 1)
    # However many rows a request claims to bring, so many are built and no more.
    options.setdefault("max_num", MAX_ROWS)
    options.setdefault("absolute_max", MAX_ROWS)
    return forms.inlineformset_factory(parent, model, **options)


__all__ = [
    "RelatedSelect",
    "VisibleInlineFormSet",
    "VisibleModelForm",
    "inline_formset",
    "use_pickers",
    "word_of",
]
