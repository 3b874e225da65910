"""Choose which front-end files are served, and name them by their content."""

from fnmatch import fnmatch

from django.conf import settings
from django.contrib.staticfiles.finders import FileSystemFinder
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


class StaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Name files by their content, and follow the imports of our own modules.

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

    def url(self, name, force=False):
        """Return the address of a file, put together once: a page names a dozen.

        The manifest is read when the process starts, so the addresses stay as they are.
        """
        if settings.DEBUG or force:
            return super().url(name, force)
        if name not in self.known_urls:
            self.known_urls[name] = super().url(name)
        return self.known_urls[name]
