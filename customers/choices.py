"""Constants of customers."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Kind(models.TextChoices):
    """Whether a customer is a person or a company."""

    PERSON = "person", pgettext_lazy("kind", "Person")
    COMPANY = "company", _("Company")


class Gender(models.TextChoices):
    """Gender, where a person told it."""

    FEMALE = "female", _("Female")
    MALE = "male", _("Male")
    OTHER = "other", _("Other")


class Source(models.TextChoices):
    """The channel a customer or lead came through."""

    ORGANIC = "organic", _("Organic search")
    PAID = "paid", _("Paid search")
    SOCIAL = "social", _("Social media")
    EMAIL = "email", pgettext_lazy("channel", "Email")
    REFERRAL = "referral", _("Referral")
    DIRECT = "direct", _("Direct traffic")
    DISPLAY = "display", _("Display advertising")
    EVENT = "event", _("Trade fair or event")
    PHONE = "phone", _("Phone")
    STORE = "store", _("Store")
    OTHER = "other", _("Other")
    UNKNOWN = "unknown", _("Unknown")


class InteractionKind(models.TextChoices):
    """How we were in touch."""

    CALL = "call", _("Call")
    EMAIL = "email", pgettext_lazy("channel", "Email")
    MEETING = "meeting", _("Meeting")
    CHAT = "chat", _("Chat")
    WEB = "web", _("Web visit")
    NOTE = "note", _("Note")


class PairState(models.TextChoices):
    """What people think of two customers that may be one."""

    OPEN = "open", pgettext_lazy("pair", "To be checked")
    DISMISSED = "dismissed", _("Not a duplicate")


class Direction(models.TextChoices):
    """Who started it."""

    IN = "in", _("Incoming")
    OUT = "out", _("Outgoing")
    NONE = "none", _("Internal")
