"""Django admin: every model's list, search, form and deletion open."""

import pytest
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.urls import reverse

from crm.admin import register_missing
from crm.models import AuditEntry, Grant, Job, Role, Tag, User
from crm.testing.access_matrix import page_tests

register_missing()
MODELS = {
    model._meta.label: one
    for model, one in admin.site._registry.items()
    if model._meta.app_config.name.split(".")[0]
    in ("crm", "customers", "sales", "marketing", "service", "analytics", "tests")
}


@pytest.fixture
def client(world):
    User.objects.filter(pk=world.dev.pk).update(is_staff=True, is_superuser=True)
    return world.client("dev")


def url_of(model_admin, page, *args):
    meta = model_admin.model._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{page}", args=args)


@pytest.mark.parametrize("label", MODELS)
def test_the_pages_of_the_admin_open(world, client, label):
    model_admin = MODELS[label]
    test = page_tests().get(model_admin.model)
    row = test().make(world.ana) if test else model_admin.model._base_manager.first()
    page = client.get(url_of(model_admin, "changelist"))
    assert page.status_code == 200
    if model_admin.search_fields:
        assert (
            client.get(url_of(model_admin, "changelist"), {"q": "x"}).status_code == 200
        )
    request = page.wsgi_request
    expected = 200 if model_admin.has_add_permission(request) else 403
    assert client.get(url_of(model_admin, "add")).status_code == expected
    if row is not None:
        assert client.get(url_of(model_admin, "change", row.pk)).status_code == 200


def test_every_model_with_pages_is_in_the_admin():
    known = {one.model for one in MODELS.values()}
    missing = [model._meta.label for model in page_tests() if model not in known]
    assert not missing


def test_what_happened_can_only_be_read(world, client):
    job = Job.objects.create(kind="x", owner=world.ana)
    entry = AuditEntry.objects.create(
        verb="added",
        content_type=ContentType.objects.get_for_model(Job),
        object_id=job.pk,
        object_text="x",
    )
    for model, row in ((Job, job), (AuditEntry, entry)):
        model_admin = MODELS[model._meta.label]
        for page in ("change", "delete"):
            response = client.post(url_of(model_admin, page, row.pk), {"post": "yes"})
            assert response.status_code == 403
        assert model._base_manager.filter(pk=row.pk).exists()


def test_an_edited_grant_counts_from_the_next_request(world, client):
    Tag.objects.create(name="x")
    ana = world.client("ana")
    assert ana.get("/tags/new/").status_code == 403
    role = Role.objects.get(code="representative")
    grants = list(Grant.objects.filter(role=role).order_by("pk"))
    data = {
        "code": role.code,
        "name": "",
        "grants-TOTAL_FORMS": len(grants) + 1,
        "grants-INITIAL_FORMS": len(grants),
    }
    rows = [(one.pk, one.model, one.verb, one.scope) for one in grants]
    for place, row in enumerate([*rows, ("", "crm.tag", "add", "all")]):
        for name, value in zip(("id", "model", "verb", "scope"), row, strict=True):
            data[f"grants-{place}-{name}"] = value
        data[f"grants-{place}-role"] = role.pk
    response = client.post(reverse("admin:crm_role_change", args=[role.pk]), data)
    assert response.status_code == 302, response.context["errors"]
    assert ana.get("/tags/new/").status_code == 200


def test_a_person_is_added_with_team_and_roles(world, client):
    data = {
        "username": "new",
        "email": "new@example.com",
        "usable_password": "true",
        "password1": "a-long-Passw0rd",
        "password2": "a-long-Passw0rd",
    }
    response = client.post(reverse("admin:crm_user_add"), data)
    assert response.status_code == 302
    person = User.objects.get(username="new")
    page = client.get(reverse("admin:crm_user_change", args=[person.pk])).text
    assert 'name="team"' in page
    assert 'name="roles"' in page
