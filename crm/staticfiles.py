"""Choose which front-end files are served, and name them by their content."""

import posixpath
import re
from fnmatch import fnmatch

from django.conf import settings
from django.contrib.staticfiles.finders import FileSystemFinder
from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from whitenoise.storage import CompressedManifestStaticFilesStorage

# The packages bring far more than a page asks for: 80 MB, most of it other builds.
USED_FILES = {
    "tabler": (
        "css/tabler.min.css",
        "css/tabler-vendors.min.css",
        "css/tabler-themes.min.css",
        "js/tabler.min.js",
        "js/tabler-theme.min.js",
    ),
    "echarts": ("echarts.min.js", "echarts.common.min.js"),
    "tom-select": ("css/*.bootstrap5.min.css", "js/*.complete.min.js"),
    "sortablejs": ("Sortable.min.js",),
}


def is_used(path: str) -> bool:
    """Say whether a file is our own or one that is used of a package."""
    folder, _sep, rest = path.partition("/")
    patterns = USED_FILES.get(folder)
    return patterns is None or any(fnmatch(rest, pattern) for pattern in patterns)


class UsedFilesFinder(FileSystemFinder):
    """Find our own files and, of each package, the files that pages use."""

    def list(self, ignore_patterns):
        for path, storage in super().list(ignore_patterns):
            if is_used(f"{storage.prefix}/{path}" if storage.prefix else path):
                yield path, storage

    def find(self, path, **kwargs):
        return super().find(path, **kwargs) if is_used(path) else []


# A line of a sheet that brings in a part of it; a part names no other files.
PART = re.compile(r'(?m)^@import "([^"]+)";\n')


COMMENT = re.compile(r"(?s)/\*.*?\*/\n?")


class WholeSheets:
    """Open the style sheets of a storage with their parts in their places.

    People read a file for each component, with the reasons in it; a page asks for one
    file, which has all the rules and no comment.
    """

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    def open(self, path: str) -> ContentFile:
        """Return the sheet; raises FileNotFoundError where a part is not there."""
        folder = posixpath.dirname(path)

        def part(found: re.Match[str]) -> str:
            return self.read(posixpath.join(folder, found[1]))

        return ContentFile(PART.sub(part, self.read(path)).encode())

    def read(self, path: str) -> str:
        """Return the rules of a file."""
        with self.storage.open(path) as file:
            return COMMENT.sub("", file.read().decode())


class StaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Name files by their content, follow imports of our modules, join our sheets.

    Django's patterns would also follow the source maps of packages, which are not
    served, and words in their comments.
    """

    patterns = (
        *(
            (glob, patterns[:2])
            for glob, patterns in CompressedManifestStaticFilesStorage.patterns
            if glob == "*.css"
        ),
        (
            "js/*.js",
            (
                (
                    r'(?P<matched>\bfrom "(?P<url>\.{1,2}/[^"]+)";)',
                    'from "%(url)s";',
                ),
                (
                    r'(?m)^(?P<matched>import "(?P<url>\.{1,2}/[^"]+)";)',
                    'import "%(url)s";',
                ),
            ),
        ),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.known_urls: dict[str, str] = {}

    def post_process(self, paths, *args, **kwargs):
        """Write each sheet of ours as one file."""
        whole = {
            name: (WholeSheets(storage), path)
            for name, (storage, path) in paths.items()
            if fnmatch(name, "css/*.css")
        }
        yield from super().post_process(paths | whole, *args, **kwargs)

    def url(self, name, force=False):
        """Return the address of a file, put together once: a page names a dozen.

        The manifest is read when the process starts, so the addresses stay as they are.
        """
        if settings.DEBUG or force:
            return super().url(name, force)
        if name not in self.known_urls:
            self.known_urls[name] = super().url(name)
        return self.known_urls[name]
