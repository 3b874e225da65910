"""Django admin of sign-in: one door, factors to take away, sessions to end."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import secure_admin_login
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, gettext_lazy

from crm.admin import ReadOnlyAdmin
from crm.security import sessions


class FactorAdmin(ReadOnlyAdmin):
    """Second factors, without their secrets; one can be taken away, none be made."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    list_select_related = ("user",)
    search_fields = ("user__username", "user__email")
    fields = ("user", "type", "created_at", "last_used_at")

    def has_delete_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        """Let administrators help somebody who lost a device."""
        return admin.ModelAdmin.has_delete_permission(self, request, obj)


class SessionAdmin(ReadOnlyAdmin):
    """Who is signed in where; sessions can be ended."""

    list_display = ("user", "created_at", "last_seen_at", "ip", "user_agent")
    list_select_related = ("user",)
    search_fields = ("user__username", "ip")
    fields = list_display
    actions = ("end",)

    @admin.action(description=gettext_lazy("End the chosen sessions"))
    def end(self, request: HttpRequest, queryset: QuerySet) -> None:
        """End sessions of others."""
        for session in queryset.select_related("user"):
            sessions.end(session)
        messages.success(request, gettext("The sessions are ended."))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer the action to those who may delete sessions."""
        actions = super().get_actions(request)
        if not admin.ModelAdmin.has_delete_permission(self, request):
            actions.pop("end", None)
        return actions


def register() -> None:
    """Close the admin's own door and put our pages in the place of allauth's."""
    admin.site.login = secure_admin_login(admin.site.login)
    for model, page in (
        (Authenticator, FactorAdmin),
        (UserSession, SessionAdmin),
    ):
        if admin.site.is_registered(model):
            admin.site.unregister(model)
        admin.site.register(model, page)
