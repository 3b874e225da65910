"""Put files at rows, take them away, and clear up what nobody can bring back."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from functools import partial
from pathlib import PurePosixPath
from typing import IO

from django.apps import apps
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import IntegrityError, models, transaction
from django.db.models.fields.json import KT
from django.http import Http404
from django.utils.translation import gettext as _

from crm.access import Verb
from crm.attachments.kinds import Kind
from crm.audit import record
from crm.generic.rows import find_row
from crm.models import Attachment, DeletedRow, User
from crm.storing import keep

FOLDER = "attachments"
MAX_NAME = 200
# Control characters, line ends, and signs that turn the direction of a name.
UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)
NOT_IN_NAMES = re.compile(r'[\\/:*?"<>|]')


def row_of(label: str, pk: int, user: User, verb: str = Verb.VIEW) -> models.Model:
    """Return the row that files are at: 404 where it is hidden, 403 without the verb.

    The one place where rights on files are decided.
    """
    return find_row(label, pk, user, verb, takes="takes_files")


def find(pk: int, user: User, verb: str = Verb.VIEW) -> tuple[Attachment, models.Model]:
    """Return a file and its row, by the rights on the row."""
    attachment = Attachment.objects.filter(pk=pk).first()
    if attachment is None:
        raise Http404
    return attachment, row_of(attachment.model, attachment.object_id, user, verb)


def files_of(obj: models.Model) -> models.QuerySet[Attachment]:
    """Return the files of a row, newest first."""
    rows = Attachment.objects.filter(
        model=obj._meta.label_lower, object_id=obj.pk
    ).select_related("uploaded_by")
    return rows.order_by("-pk")


def safe_name(name: str) -> str:
    """Return a name that every system can keep and show, with its ending."""
    try:
        name = name.encode("utf-8", "replace").decode("utf-8")
    except UnicodeError:
        name = ""
    name = NOT_IN_NAMES.sub("_", UNSEEN.sub("", name)).strip(" .")
    stem, suffix = PurePosixPath(name).stem, PurePosixPath(name).suffix
    if len(name) > MAX_NAME:
        name = stem[: MAX_NAME - len(suffix[:20])] + suffix[:20]
    return name or _("file")


@transaction.atomic
def attach(
    *, obj: models.Model, content: IO[bytes], name: str, kind: Kind, actor: User
) -> tuple[Attachment, bool]:
    """Store a recognised file at a row; return it, and whether it is new there."""
    content.seek(0)
    digest = hashlib.file_digest(content, "sha256").hexdigest()
    known = files_of(obj).filter(sha256=digest).first()
    if known is not None:
        return known, False
    size = content.tell()
    content.seek(0)
    token = secrets.token_urlsafe(32)
    path = keep(f"{FOLDER}/{token[:2]}/{token}", File(content))
    attachment = Attachment(
        model=obj._meta.label_lower,
        object_id=obj.pk,
        name=safe_name(name),
        path=path,
        size=size,
        sha256=digest,
        content_type=kind.type,
        uploaded_by=actor,
    )
    try:
        with transaction.atomic():
            attachment.save(force_insert=True)
            record(actor, "attached", obj, {"file": [None, attachment.name]})
    except IntegrityError:
        # The same form was sent twice at once; the other one was first.
        default_storage.delete(path)
        return files_of(obj).get(sha256=digest), False
    except BaseException:
        default_storage.delete(path)
        raise
    return attachment, True


@transaction.atomic
def detach(*, attachment: Attachment, obj: models.Model, actor: User) -> None:
    """Take a file away; its content stays until the trash is emptied."""
    record(actor, "detached", obj, {"file": [attachment.name, None]})
    attachment.delete()


def move(model: type[models.Model], into: int, gone: Iterable[int]) -> None:
    """Put the files of rows that are merged at the row that stays; none twice."""
    label = model._meta.label_lower
    rows = Attachment.objects.filter(model=label, object_id__in=list(gone))
    have = set(
        Attachment.objects.filter(model=label, object_id=into).values_list(
            "sha256", flat=True
        )
    )
    for one in rows.order_by("pk"):
        if one.sha256 in have:
            one.delete()
            continue
        have.add(one.sha256)
        one.object_id = into
        one.save(update_fields=["object_id", "updated_at"])


# --- Clearing up ----------------------------------------------------------------


def paths_in_trash(deleted: models.QuerySet[DeletedRow]) -> list[str]:
    """Return where the content of deleted files lies."""
    rows = deleted.filter(model=Attachment._meta.label_lower)
    return list(rows.values_list(KT("row__path"), flat=True))


def remove_unused(paths: Iterable[str]) -> None:
    """Delete contents, after the transaction, that no file refers to any more."""
    paths = [path for path in paths if path]
    used = set(
        Attachment.objects.filter(path__in=paths).values_list("path", flat=True)
    ) | set(
        DeletedRow.objects.filter(model=Attachment._meta.label_lower)
        .annotate(path=KT("row__path"))
        .filter(path__in=paths)
        .values_list("path", flat=True)
    )
    for path in set(paths) - used:
        transaction.on_commit(partial(default_storage.delete, path))


@transaction.atomic
def remove_stranded() -> int:
    """Delete the files of rows that are gone for good; return how many."""
    labels = Attachment.objects.order_by("model").values_list("model", flat=True)
    count = 0
    for label in labels.distinct():
        rows = Attachment.objects.filter(model=label)
        in_trash = DeletedRow.objects.filter(
            model=label, object_id=models.OuterRef("object_id")
        )
        rows = rows.exclude(models.Exists(in_trash))
        try:
            there = apps.get_model(label)._base_manager.filter(
                pk=models.OuterRef("object_id")
            )
            rows = rows.exclude(models.Exists(there))
        except LookupError:
            pass
        count += rows.delete()[0]
    return count
