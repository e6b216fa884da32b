"""The one exception for input a user can put right."""

EXIT_STATUS = 2


class UserError(ValueError):
    """Something the user gave is wrong.

    The message is one line: the file or setting, the value found in it and
    what was expected. The tools print that line and exit with status 2; any
    other exception is a bug of the package and keeps its traceback.
    """
