"""Who may open the framework's own special addresses."""

from crm.models import Job
from crm.testing.access_matrix import PUBLIC, SIGNED_IN, Rule


def make_job(owner):
    """Return a waiting job of a person."""
    return Job.objects.create(kind="noop", owner=owner)


RULES = {
    "start": SIGNED_IN,
    "healthz": PUBLIC,
    "search": SIGNED_IN,
    "search_suggest": SIGNED_IN,
    "palette": SIGNED_IN,
    "profile": Rule(None, methods=("get", "post")),
    "set_language": Rule(None, methods=("post",), is_public=True),
    "crm:job_list": Rule(Job),
    "crm:job_detail": Rule(Job, make=make_job),
    "crm:job_status": Rule(Job, make=make_job),
    "crm:job_cancel": Rule(Job, "run", methods=("post",), make=make_job),
}
