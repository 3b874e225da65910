"""Django admin of the framework: people, rights, and what happened (to read only)."""

from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.models import Group
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from crm.access import ANY_MODEL
from crm.generic.registry import registry
from crm.models import (
    AuditEntry,
    EventKind,
    Grant,
    ImportRun,
    Job,
    JobLog,
    Role,
    SavedView,
    SecurityEvent,
    Tag,
    Team,
    User,
)
from crm.rights.admin import KeepsBack, RuledAdmin
from crm.security import sessions
from crm.security.events import record

# Rights come from roles; Django's groups would be a second, unused way.
admin.site.unregister(Group)
admin.site.site_header = admin.site.site_title = _("Administration")


class ReadOnlyAdmin(RuledAdmin):
    """Rows that only the program writes."""

    def has_add_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        """Refuse new rows."""
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        """Refuse changes."""
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        """Refuse deletion."""
        return False


class PersonCreationForm(AdminUserCreationForm):
    """The first fields of a new person."""

    class Meta(AdminUserCreationForm.Meta):
        model = User
        fields = ("username", "email")


@admin.register(User)
class PersonAdmin(RuledAdmin, UserAdmin):
    """People, their team and their roles."""

    add_form = PersonCreationForm
    list_display = ("username", "first_name", "last_name", "email", "team", "is_active")
    list_filter = ("is_active", "roles", "team")
    list_select_related = ("team",)
    search_fields = ("username", "first_name", "last_name", "email")
    filter_horizontal = ("roles",)
    autocomplete_fields = ("team",)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (
            _("Person"),
            {
                "fields": (
                    "first_name",
                    "last_name",
                    "email",
                    "title",
                    "language",
                    "time_zone",
                )
            },
        ),
        (_("Rights"), {"fields": ("team", "roles", "is_active", "is_staff")}),
        (_("Everything"), {"classes": ("collapse",), "fields": ("is_superuser",)}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        """Note that a password was set for somebody, and end their sessions."""
        response = super().user_change_password(request, id, form_url)
        if request.method == "POST" and response.status_code == 302:
            person = User.objects.filter(pk=unquote(id)).first()
            record(EventKind.PASSWORD_CHANGED, person=person, request=request)
            if person is not None and person.pk != request.user.pk:
                sessions.end_all(person)
        return response

    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": (
                    "username",
                    "email",
                    "usable_password",
                    "password1",
                    "password2",
                ),
            },
        ),
    )


@admin.register(Team)
class TeamAdmin(RuledAdmin):
    """Teams; the path follows the parent by itself."""

    list_display = ("name", "parent")
    list_select_related = ("parent",)
    search_fields = ("name",)
    autocomplete_fields = ("parent",)

    fields = ("name", "parent")


def model_choices() -> list[tuple[str, Any]]:
    """Return the models that a grant can name."""
    named = [
        (
            model._meta.label_lower,
            f"{model._meta.verbose_name} ({model._meta.label_lower})",
        )
        for model in apps.get_models()
        if hasattr(model, "access_path") or getattr(model, "access_shared", False)
    ]
    return [(ANY_MODEL, _("everything")), *sorted(named)]


class GrantForm(forms.ModelForm):
    """A right, with the models to choose from."""

    model = forms.ChoiceField(label=_("Model"), choices=model_choices)

    class Meta:
        model = Grant
        fields = ("model", "verb", "scope")


class GrantInline(KeepsBack, admin.TabularInline):
    """The rights of a role."""

    model = Grant
    form = GrantForm
    extra = 1


@admin.register(Role)
class RoleAdmin(RuledAdmin):
    """Roles with their rights."""

    list_display = ("__str__", "code", "requires_second_factor")
    list_editable = ("requires_second_factor",)
    search_fields = ("code", "name")
    inlines = (GrantInline,)


@admin.register(Tag)
class TagAdmin(RuledAdmin):
    """Tags."""

    list_display = ("name", "colour")
    search_fields = ("name",)


@admin.register(SavedView)
class SavedViewAdmin(RuledAdmin):
    """Saved views of lists: whose, for whom, and for which roles they open first."""

    list_display = ("name", "list_key", "owner", "sharing", "team", "is_pinned")
    list_filter = ("sharing", "list_key", "default_for")
    list_select_related = ("owner", "team")
    search_fields = ("name",)
    autocomplete_fields = ("owner", "team")
    filter_horizontal = ("default_for",)
    readonly_fields = ("list_key",)
    fields = (
        *("name", "list_key", "query", "owner", "sharing", "team"),
        *("is_pinned", "position", "default_for"),
    )

    def has_add_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        """Refuse new rows: a view is saved where its list is seen."""
        return False


class JobLogInline(KeepsBack, admin.TabularInline):
    """The log of a job."""

    model = JobLog
    extra = 0
    can_delete = False
    readonly_fields = ("at", "level", "text")

    def has_add_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        """Refuse new lines."""
        return False


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """Jobs, to look at; they are started and cancelled on their own pages."""

    list_display = (
        "kind",
        "state",
        "owner",
        "done",
        "total",
        "created_at",
        "finished_at",
    )
    list_filter = ("state", "kind", "queue")
    list_select_related = ("owner",)
    search_fields = ("kind", "message")
    date_hierarchy = "created_at"
    inlines = (JobLogInline,)


@admin.register(ImportRun)
class ImportRunAdmin(ReadOnlyAdmin):
    """Imports, to look at."""

    list_display = ("file_name", "importer", "state", "owner", "rows", "rejected")
    list_filter = ("state", "importer")
    list_select_related = ("owner",)
    search_fields = ("file_name",)


def register_missing() -> None:
    """Put every model with pages into the admin that no app has put there itself."""
    for model, pages in registry.pages.items():
        if admin.site.is_registered(model):
            continue
        fields = {field.name: field for field in model._meta.concrete_fields}
        shown = [key for key in pages.declared_table().keys if key in fields]
        chosen = [name for name, field in fields.items() if field.choices]
        related = [name for name, field in fields.items() if field.is_relation]
        options = {
            "list_display": shown or ("__str__",),
            "list_filter": chosen,
            "list_select_related": [name for name in related if name in shown],
            "search_fields": pages.search_fields,
            "raw_id_fields": related,
        }
        name = f"{model.__name__}Admin"
        admin.site.register(model, type(name, (RuledAdmin,), options))


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who changed what."""

    list_display = ("at", "actor", "verb", "object_text", "content_type")
    list_filter = ("verb", "content_type")
    list_select_related = ("actor", "content_type")
    search_fields = ("object_text",)
    date_hierarchy = "at"


@admin.register(SecurityEvent)
class SecurityEventAdmin(ReadOnlyAdmin):
    """What happened at the doors."""

    list_display = ("at", "kind", "name", "actor", "address", "details_text")
    list_filter = ("kind",)
    list_select_related = ("person", "actor")
    search_fields = ("name", "address")
    date_hierarchy = "at"
