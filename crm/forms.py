"""Forms of the framework's own models."""

from crm.generic.forms import VisibleModelForm
from crm.models import Tag


class TagForm(VisibleModelForm):
    """Name and colour of a tag."""

    class Meta:
        model = Tag
        fields = ("name", "colour")
