"""Tickets in the admin."""

from django.contrib import admin

from crm.rights.admin import KeepsBack, RuledAdmin
from service.models import Message, Ticket, TicketCategory


class MessageInline(KeepsBack, admin.StackedInline):
    """Messages of a ticket."""

    model = Message
    extra = 0
    raw_id_fields = ("author",)


@admin.register(Ticket)
class TicketAdmin(RuledAdmin):
    """Tickets."""

    list_display = ("number", "subject", "state", "urgency", "category", "owner")
    list_filter = ("state", "urgency", "kind", "channel")
    list_select_related = ("category", "owner")
    search_fields = ("number", "subject")
    raw_id_fields = ("customer", "owner")
    readonly_fields = ("category_origin", "solved_at")
    inlines = (MessageInline,)
    show_full_result_count = False


@admin.register(TicketCategory)
class TicketCategoryAdmin(RuledAdmin):
    """Categories."""

    list_display = ("name", "code", "is_active")
    search_fields = ("name", "code")


@admin.register(Message)
class MessageAdmin(RuledAdmin):
    """Messages."""

    list_display = ("ticket", "direction", "author", "sent_at")
    list_select_related = ("ticket", "author")
    raw_id_fields = ("ticket", "author")
    show_full_result_count = False
