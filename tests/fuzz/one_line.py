"""What an error line must be."""

LONGEST = 2000


def assert_one_line(error: object) -> None:
    """It fits on a screen, and holds no line break and no control character of the file."""
    line = str(error)
    assert line.isprintable()
    assert len(line) < LONGEST
