"""The pages on which people watch and cancel their jobs."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.formats import number_format
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRefresh

from crm.access import Verb, get_visible_or_404, require
from crm.exceptions import UserVisibleError
from crm.jobs import cancel_job
from crm.models import Job, JobState

PAGE_SIZE = 50
# The page shows the end of a long log.
LOG_LINES = 200


@require_GET
def job_list(request: HttpRequest) -> HttpResponse:
    """List the jobs that the person may see, newest first."""
    require(request.user, Verb.VIEW, Job)
    jobs = Job.objects.visible_to(request.user).select_related("owner")
    state = request.GET.get("state", "")
    if state in JobState.values:
        jobs = jobs.filter(state=state)
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:
        jobs = jobs.filter(pk__lt=before)
    page = list(jobs.order_by("-pk")[: PAGE_SIZE + 1])
    more = len(page) > PAGE_SIZE
    older = {"before": page[PAGE_SIZE - 1].pk if more else "", "state": state}
    context = {
        "title": _("Jobs"),
        "jobs": page[:PAGE_SIZE],
        "state": state,
        "states": JobState.choices,
        "first_url": f"?{urlencode({'state': state})}" if before else "",
        "next_url": f"?{urlencode(older)}" if more else "",
    }
    return render(request, "generic/job_list.html", context)


@require_GET
@never_cache
def job_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one job with its progress and log."""
    context = {**_job_context(request, pk), "with_log": True}
    job = context["job"]
    context["title"] = job.label
    context["took"] = time_text(job.duration) if job.finished_at else ""
    context["breadcrumbs"] = [{"label": _("Jobs"), "url": reverse("crm:job_list")}]
    return render(request, "generic/job.html", context)


@require_GET
@never_cache
def job_status(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer the poll of a page: the progress now, or "load again" at the end."""
    context = _job_context(request, pk)
    if context["job"].is_finished:
        return HttpResponseClientRefresh()
    context["with_log"] = "log" in request.GET
    return render(request, "generic/_job.html", context)


@require_POST
def job_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel the job and go back to where the person was."""
    job = get_visible_or_404(Job, request.user, pk, Verb.RUN)
    try:
        job = cancel_job(job=job, actor=request.user)
    except UserVisibleError as error:
        messages.error(request, str(error))
    else:
        _say_outcome(request, job)
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}):
        back = job.get_absolute_url()
    return redirect(back)


def time_text(duration: timedelta | None) -> str:
    """Return a duration as people say it; blank for none."""
    if duration is None:
        return ""
    minutes, seconds = divmod(duration.total_seconds(), 60)
    if not minutes:
        return _("%(seconds)s s") % {"seconds": number_format(seconds, 1)}
    return _("%(minutes)s min %(seconds)s s") % {
        "minutes": number_format(int(minutes)),
        "seconds": int(seconds),
    }


def _job_context(request: HttpRequest, pk: int) -> dict:
    visible = Job.objects.select_related("owner")
    job = get_visible_or_404(visible, request.user, pk)
    newest = job.log_lines.order_by("-pk")[: LOG_LINES + 1]
    lines = list(newest)[::-1]
    return {
        "job": job,
        "log_lines": lines[-LOG_LINES:],
        "log_is_cut": len(lines) > LOG_LINES,
    }


def _say_outcome(request: HttpRequest, job: Job) -> None:
    if job.state == JobState.CANCELLED:
        messages.success(request, _("The job was cancelled."))
    elif job.is_finished:
        messages.info(request, _("The job had already ended."))
    else:
        messages.info(request, _("The job will stop at its next step."))


urlpatterns = [
    path("jobs/", job_list, name="job_list"),
    path("jobs/<int:pk>/", job_detail, name="job_detail"),
    path("jobs/<int:pk>/status/", job_status, name="job_status"),
    path("jobs/<int:pk>/cancel/", job_cancel, name="job_cancel"),
]
