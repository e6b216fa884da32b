"""The one exception for input a user can put right."""

EXIT_STATUS = 2


class UserError(ValueError):
    """Something the user gave is wrong.

    The message is one line: the file or setting, the value found in it and
    what was expected. The tools print that line and exit with status 2; any
    other exception is a bug of the package and keeps its traceback.
    """


def printable(text: str) -> str:
    """Write line breaks, control characters and halves of surrogate pairs as escapes, for a line that quotes a file.

    Args:
        text: Anything.

    Returns:
        What a terminal shows and a log takes, in one line.
    """
    return ''.join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)
