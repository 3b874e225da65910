"""Pages of the framework's own models."""

from itertools import count

from crm.custom.definitions import custom_models
from crm.models import CustomField, EventKind, SecurityEvent, Tag, User
from crm.pages import CustomFieldPages, PeoplePages, SecurityEventPages, TagPages
from crm.testing.pages import PageTests
from crm.testing.world import make_person

numbers = count(1)


class TestTagPages(PageTests):
    """Tags are reference data: shared, changed by few."""

    pages = TagPages
    changed_value = ("name", "Renamed")

    def make(self, owner, **values):
        return Tag.objects.create(name=f"Tag {next(numbers)}", **values)

    def form_data(self, world):
        return {"name": "Brand new", "colour": "green"}


class TestPeoplePages(PageTests):
    """Colleagues can be looked up, not changed."""

    pages = PeoplePages

    def make(self, owner, **values):
        return make_person(f"person{next(numbers)}", owner.team)

    def form_data(self, world):
        return {}

    def test_people_who_left_are_not_listed(self, world):
        gone = make_person("gone", None)
        User.objects.filter(pk=gone.pk).update(is_active=False)
        response = world.client("dev").get(self.declared.url("list"))
        assert gone not in [row.object for row in response.context["rows"]]


class TestSecurityEventPages(PageTests):
    """The log of security is for administrators, and only to be read."""

    pages = SecurityEventPages
    list_queries = ("address=10.0", "name=ANA", "kind=denied&kind=exported")

    def make(self, owner, **values):
        return SecurityEvent.objects.create(
            kind=EventKind.DENIED,
            person=owner,
            name=owner.username,
            address="10.0.0.1",
            details={"page": "GET /somewhere/"},
            **values,
        )

    def form_data(self, world):
        return {}

    def test_an_event_outlives_its_person(self, world):
        person = make_person("leaver", None)
        event = self.make(person)
        person.delete()
        client = world.client("dev")
        assert "leaver" in client.get(self.declared.url("list")).text
        assert client.get(self.declared.url("detail", event)).status_code == 200


class TestCustomFieldPages(PageTests):
    """Custom fields are made by administrators, and by nobody else."""

    pages = CustomFieldPages
    changed_value = ("label", "Renamed")

    def make(self, owner, **values):
        label = f"Field {next(numbers)}"
        return CustomField.objects.create(
            model=next(iter(custom_models())), label=label, **values
        )

    def form_data(self, world):
        return {
            "model": next(iter(custom_models())),
            "kind": "text",
            "label": "Brand new",
            "position": "0",
            "state": "active",
        }
