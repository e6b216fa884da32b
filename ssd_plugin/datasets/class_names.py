"""Write the classes of a data set into a line that a user reads."""

from collections.abc import Iterable

_MAX_NAMES = 20


def format_class_names(classes: Iterable[str]) -> str:
    """List the names, the first 20 of many.

    Args:
        classes: Names in the order of their labels.

    Returns:
        ``(cat, dog)``, or ``(cat, dog, ... 80 classes)``.
    """
    names = list(classes)
    rest = f', ... {len(names)} classes' if len(names) > _MAX_NAMES else ''
    return f'({", ".join(names[:_MAX_NAMES])}{rest})'
