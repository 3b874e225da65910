"""Who sees and does what: default deny, scopes by the tree of teams, one rule."""

import pytest
from django.core.checks import run_checks
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404

from crm.access import (
    OutOfReachError,
    Scope,
    Verb,
    can,
    get_visible_or_404,
    paths_of,
    require,
    require_in_reach,
    scope_of,
    widest,
)
from crm.forms import TagForm
from crm.grants import seed_grants
from crm.models import AuditEntry, BaseModel, Grant, Job, Role, Tag, Team, User
from crm.reach import remember_reach
from crm.testing.snapshot import unchanged
from crm.testing.world import OWNERS, REACH, make_person, make_world


@pytest.fixture
def role(world):
    """Return a role that Ana, Abe, Ben and Cleo hold alone; it grants nothing yet."""
    role = Role.objects.create(code="tester")
    for name in ("ana", "abe", "ben", "cleo", "dev"):
        getattr(world, name).roles.set([role])
    return role


@pytest.fixture
def jobs(world):
    """Return one row per person."""
    return {
        name: Job.objects.create(kind=name, owner=world.owners()[name])
        for name in OWNERS
    }


def fresh(user):
    """Return the person as the next request would load it."""
    return User.objects.get(pk=user.pk)


def seen_by(user):
    """Return the names of the rows that a person sees."""
    return {job.kind for job in Job.objects.visible_to(fresh(user))}


def test_without_a_grant_nothing_is_seen_or_done(world, role, jobs):
    for name in OWNERS:
        user = fresh(world.owners()[name])
        assert not seen_by(user)
        for verb in Verb.values:
            assert not can(user, verb, Job)
            assert not can(user, verb, jobs[name])


@pytest.mark.parametrize("scope", Scope.values)
def test_a_scope_reaches_the_rows_of_its_people(world, role, jobs, scope):
    Grant.objects.create(role=role, model="crm.job", verb="view", scope=scope)
    for name in OWNERS:
        user = fresh(world.owners()[name])
        # Dev stands at the root of the tree.
        assert seen_by(user) == REACH[scope][name], name
        # The list and the single question can never differ.
        for owner, job in jobs.items():
            assert can(user, "view", job) == (owner in REACH[scope][name]), (
                name,
                owner,
            )


def test_a_grant_is_for_one_verb_only(world, role, jobs):
    Grant.objects.create(role=role, model="crm.job", verb="view", scope="all")
    ana = fresh(world.ana)
    assert can(ana, "view", Job)
    for verb in set(Verb.values) - {"view"}:
        assert not can(ana, verb, Job)
        assert not Job.objects.visible_to(ana, verb).exists()


def test_the_widest_of_several_roles_counts(world, role, jobs):
    other = Role.objects.create(code="other")
    Grant.objects.create(role=role, model="crm.job", verb="view", scope="own")
    Grant.objects.create(role=other, model="crm.job", verb="view", scope="team")
    world.ana.roles.add(other)
    assert seen_by(world.ana) == {"ana", "abe"}


def test_a_grant_on_everything_covers_every_model(world, role, jobs):
    Grant.objects.create(role=role, model="*", verb="view", scope="own")
    assert seen_by(world.ana) == {"ana"}
    assert can(fresh(world.ana), "view", Tag)


def test_rows_without_an_owner_need_the_scope_all(world, role):
    Job.objects.create(kind="nobody")
    grant = Grant.objects.create(
        role=role, model="crm.job", verb="view", scope="subtree"
    )
    assert seen_by(world.dev) == set()
    grant.scope = "all"
    grant.save()
    assert seen_by(world.dev) == {"nobody"}


def test_a_person_without_a_team_reaches_only_their_own(world, role, jobs):
    User.objects.filter(pk__in=[world.ana.pk, world.abe.pk]).update(team=None)
    Grant.objects.create(role=role, model="crm.job", verb="view", scope="subtree")
    assert seen_by(world.ana) == {"ana"}


def test_teams_whose_numbers_begin_alike_are_not_mixed_up(world, role):
    """Team 1 is not above team 12: the path ends in a slash."""
    Grant.objects.create(role=role, model="crm.job", verb="view", scope="subtree")
    one = Team.objects.create(pk=991, name="one")
    two = Team.objects.create(pk=9912, name="two")
    boss, other = make_person("boss", one), make_person("other", two)
    boss.roles.add(role)
    Job.objects.create(kind="other", owner=other)
    assert not seen_by(boss)


def test_moving_a_team_moves_its_people(world, role, jobs):
    Grant.objects.create(role=role, model="crm.job", verb="view", scope="subtree")
    desk = Team.objects.get(name="North desk")
    below = Team.objects.create(name="below", parent=desk)
    User.objects.filter(pk=world.abe.pk).update(team=below)
    desk.parent = Team.objects.get(name="South desk")
    desk.save()
    assert seen_by(world.ben) == {"ben"}
    assert seen_by(world.cleo) == {"cleo", "ana", "abe"}


def test_a_team_cannot_be_put_below_itself(world):
    north = Team.objects.get(name="North")
    north.parent = Team.objects.get(name="North desk")
    with pytest.raises(Exception, match="below itself"):
        north.full_clean()


def test_those_who_left_see_nothing(world, role, jobs):
    Grant.objects.create(role=role, model="crm.job", verb="view", scope="all")
    User.objects.filter(pk=world.ana.pk).update(is_active=False)
    assert not seen_by(world.ana)


def test_a_superuser_needs_no_grant(world, role, jobs):
    User.objects.filter(pk=world.ana.pk).update(is_superuser=True)
    assert seen_by(world.ana) == set(OWNERS)


def test_shared_rows_are_open_to_any_grant(world, role):
    Tag.objects.create(name="one")
    assert not Tag.objects.visible_to(fresh(world.ana)).exists()
    Grant.objects.create(role=role, model="crm.tag", verb="view", scope="own")
    assert Tag.objects.visible_to(fresh(world.ana)).count() == 1


def test_hidden_and_absent_rows_are_told_the_same(world, role, jobs):
    Grant.objects.create(role=role, model="crm.job", verb="view", scope="own")
    ana = fresh(world.ana)
    assert get_visible_or_404(Job, ana, jobs["ana"].pk) == jobs["ana"]
    for pk in (jobs["cleo"].pk, 10**9, 10**30, "x", None):
        with pytest.raises(Http404):
            get_visible_or_404(Job, ana, pk)


def test_a_role_without_the_verb_is_refused_before_the_row_is_looked_for(
    world, role, jobs
):
    Grant.objects.create(role=role, model="crm.job", verb="view", scope="all")
    for pk in (jobs["ana"].pk, 10**9):
        with pytest.raises(PermissionDenied):
            get_visible_or_404(Job, fresh(world.ana), pk, "delete")


def test_a_verb_reaches_no_further_than_sight(world, role, jobs):
    """A wide right to change does not open rows that may not be seen."""
    Grant.objects.create(role=role, model="crm.job", verb="view", scope="own")
    Grant.objects.create(role=role, model="crm.job", verb="change", scope="all")
    with pytest.raises(Http404):
        get_visible_or_404(Job, fresh(world.ana), jobs["cleo"].pk, "change")


def test_a_write_must_stay_in_reach(world, role, jobs):
    Grant.objects.create(role=role, model="crm.job", verb="change", scope="own")
    ana = fresh(world.ana)
    require_in_reach(ana, "change", jobs["ana"])
    jobs["ana"].owner = world.cleo
    jobs["ana"].save()
    with pytest.raises(OutOfReachError):
        require_in_reach(ana, "change", jobs["ana"])


@pytest.mark.parametrize("scope", Scope.values)
def test_what_is_remembered_of_a_row_is_what_would_be_asked(
    world, role, jobs, scope, django_assert_num_queries
):
    Grant.objects.create(role=role, model="crm.job", verb="change", scope=scope)
    for name in OWNERS:
        user = fresh(world.owners()[name])
        assert can(user, "change", Job)
        for owner, job in jobs.items():
            expected = can(user, "change", job)
            assert expected == (owner in REACH[scope][name])
            job = Job.objects.get(pk=job.pk)
            remember_reach(user, job)
            with django_assert_num_queries(0):
                assert can(user, "change", job) == expected
                assert not can(user, "delete", job)


def test_what_is_remembered_is_one_persons(world, role, jobs):
    Grant.objects.create(role=role, model="crm.job", verb="change", scope="own")
    job = jobs["ana"]
    remember_reach(fresh(world.cleo), job)
    assert can(fresh(world.ana), "change", job)
    assert not can(fresh(world.cleo), "change", job)


def test_require_asks_for_the_model(world, role):
    with pytest.raises(PermissionDenied):
        require(fresh(world.ana), "view", Job)


def test_the_rights_cost_one_query_per_request(world, django_assert_num_queries):
    user = User.objects.select_related("team").get(pk=world.ana.pk)
    with django_assert_num_queries(1):
        for verb in Verb.values:
            scope_of(user, verb, Tag)
            scope_of(user, verb, Job)


def test_widest():
    assert widest([]) is None
    assert widest(["team", "own"]) == "team"
    assert widest(["subtree", "all", "own"]) == "all"


def test_a_model_that_declares_nothing_fails_the_check(db, settings):
    class Undeclared(BaseModel):
        class Meta:
            app_label = "crm"

    try:
        found = [check.id for check in run_checks() if check.obj is Undeclared]
        assert found == ["crm.E001"]
    finally:
        from django.apps import apps

        del apps.all_models["crm"]["undeclared"]
        apps.clear_cache()
    assert not [check for check in run_checks() if check.id == "crm.E001"]


def test_default_grants_are_written_once_and_edits_stay(db):
    before = Grant.objects.count()
    assert before
    grant = Grant.objects.filter(role__code="representative").first()
    deleted = (grant.role_id, grant.model, grant.verb)
    grant.delete()
    seed_grants()
    assert Grant.objects.count() == before - 1
    assert not Grant.objects.filter(
        role=deleted[0], model=deleted[1], verb=deleted[2]
    ).exists()


def test_every_default_grant_names_a_model_and_a_role_that_exist(db):
    from django.apps import apps

    known = {model._meta.label_lower for model in apps.get_models()} | {"*"}
    assert set(Grant.objects.values_list("model", flat=True)) <= known
    assert set(Grant.objects.values_list("verb", flat=True)) <= set(Verb.values)
    assert set(Grant.objects.values_list("scope", flat=True)) <= set(Scope.values)


def test_a_form_refuses_what_its_person_may_not_see(world, role):
    """The form is the door that people can push at with any number."""
    from django import forms

    from crm.generic.forms import VisibleModelForm

    class ChildForm(VisibleModelForm):
        class Meta:
            model = Job
            fields = ("kind", "owner")
            field_classes = {"owner": forms.ModelChoiceField}

    hidden = make_person("hidden", None)
    assert ChildForm({"kind": "x", "owner": hidden.pk}, actor=fresh(world.dev)).errors
    Grant.objects.create(role=role, model="crm.user", verb="view", scope="all")
    form = ChildForm({"kind": "x", "owner": hidden.pk}, actor=fresh(world.dev))
    assert form.is_valid(), form.errors


def test_a_denied_write_through_the_page_changes_nothing(world):
    tag = Tag.objects.create(name="kept")
    with unchanged(Tag, AuditEntry):
        response = world.client("ana").post(f"/tags/{tag.pk}/edit/", {"name": "mine"})
    assert response.status_code == 403


def test_the_cast_can_have_other_roles(db):
    world = make_world(ana="agent", ben="service_manager")
    assert world.ana.role_codes == {"agent"}
    assert world.ben.role_codes == {"service_manager"}


def test_a_form_needs_its_person():
    with pytest.raises(TypeError):
        TagForm()


def test_each_access_path_leads_to_a_person():
    """A path that is spelled wrong would only fail for those with a narrow scope."""
    from django.apps import apps

    for model in apps.get_models():
        if not hasattr(model, "access_path") or model._meta.abstract:
            continue
        for path in paths_of(model):
            target = model
            for part in [] if path == "pk" else path.split("__"):
                field = target._meta.get_field(part)
                assert isinstance(field, models.ForeignKey), (model, path)
                target = field.related_model
            assert target is User, (model, path)
