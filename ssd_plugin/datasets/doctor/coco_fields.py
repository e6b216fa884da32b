"""What the records of a COCO file must hold."""

import math
import sys
from collections.abc import Callable
from typing import Any, Optional


def _is_id(value: Any) -> bool:
    return type(value) in (int, str)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_number(value: Any) -> bool:
    # JSON's whole numbers may have any number of digits.
    return type(value) is float or (type(value) is int and abs(value) <= sys.float_info.max)


def is_size(value: Any) -> bool:
    """Tell whether a value is a finite number above 0."""
    return _is_number(value) and 0 < value < math.inf


def _is_box(value: Any) -> bool:
    return type(value) is list and len(value) == 4 and all(map(_is_number, value))


Fields = dict[str, tuple[Callable[[Any], bool], str]]
IMAGE: Fields = {
    'id': (_is_id, 'a number'),
    'file_name': (_is_text, 'the name of an image file'),
    'width': (is_size, 'pixels'),
    'height': (is_size, 'pixels'),
}
CATEGORY: Fields = {'id': (_is_id, 'a number'), 'name': (_is_text, 'the name of a class')}
ANNOTATION: Fields = {
    'image_id': (_is_id, 'the id of an image'),
    'category_id': (_is_id, 'the id of a category'),
    'bbox': (_is_box, '[x, y, width, height]'),
}


def problem_of(record: Any, fields: Fields) -> Optional[tuple[str, str, str]]:
    """Say which field of a record is wrong, what it is and what was expected."""
    if not isinstance(record, dict):
        return '', f'{record!r:.60}', 'an object'
    for key, (is_valid, expected) in fields.items():
        if not is_valid(record.get(key)):
            return key, f'{record[key]!r:.60}' if key in record else 'missing', expected
    return None


def place_of(section: str, i: int, record: Any, key: str) -> str:
    """Write where a field is, with the id of its record, which one searches the file for."""
    name = f' (id {record["id"]})' if isinstance(record, dict) and 'id' in record and key != 'id' else ''
    return f'{section}[{i}]{name}{"." if key else ""}{key}'
