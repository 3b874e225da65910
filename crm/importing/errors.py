"""Errors of a file as a whole; a bad row is no error but a rejected row."""

from django.utils.translation import gettext as _

from crm.exceptions import UserVisibleError


class FileError(UserVisibleError):
    """A file that cannot be read, with the place where reading stopped."""

    def __init__(self, message: str, *, row: int = 0, column: int = 0) -> None:
        self.row = row
        self.column = column
        self.message = message
        super().__init__(self._placed(message))

    def _placed(self, message: str) -> str:
        place = {"row": self.row, "column": self.column, "message": message}
        if self.row and self.column:
            return _("Row %(row)s, column %(column)s: %(message)s") % place
        if self.row:
            return _("Row %(row)s: %(message)s") % place
        return message


class ImportRefused(UserVisibleError):
    """An import that cannot begin: a right, a mapping or an option is missing."""
