"""Find the class that an annotation means."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Optional

from ssd_plugin.datasets.class_names import format_class_names


def match_class(name: str, classes: Sequence[str]) -> Optional[str]:
    """Find a class by its name, whatever the case and the blanks around it.

    Args:
        name: As an annotation has it.
        classes: The classes of the data set.

    Returns:
        The class of that very name, or else the only one that differs in case and surrounding blanks alone; None if
        there is no such class.
    """
    if name in classes:
        return name
    alike = [one for one in classes if one.strip().casefold() == name.strip().casefold()]
    return alike[0] if len(alike) == 1 else None


def expected_class(name: str, classes: Sequence[str]) -> str:
    """Say what an unknown class should be.

    Args:
        name: As an annotation has it.
        classes: The classes of the data set.

    Returns:
        The classes, the closest one first where one is close, and the way to leave such objects out.
    """
    close = get_close_matches(name, classes, n=1)
    hint = f'{close[0]!r}, ' if close else ''
    return (
        f'{hint}one of {format_class_names(classes)}; list it in metainfo.classes of the data set, or set '
        'allow_other_classes=True of AnnotationReportHook to leave such objects out'
    )
