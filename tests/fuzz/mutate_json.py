"""Spoilt COCO files: values of other types, sizes and places than a reader expects."""

import json
from collections.abc import Iterator
from random import Random
from typing import Any, Union

from mutate_bytes import DAMAGE

VALUES = (
    *(None, True, False, 0, -1, 1.5, 1e308, -1e308, 5e-324, float('nan'), float('inf'), -float('inf'), 10**400, 2**63),
    *(
        '',
        ' ',
        '1',
        '1e5',
        'x' * 100_000,
        'a/' * 3000,
        '\0',
        '\ud800',
        '\u202e',
        '../../x',
        '/',
        'c\u0430t',
        'Cat',
        '\n\n',
    ),
    *([], {}, [1], {'a': 1}, [[1, 2], [3, 4]], [0, 0, 1e-9, 1e-9], [0, 0, 10**400, 1], [1, 1, 5, -5], [True] * 4),
    *([1, 2, 3, 4, 5], ['a'] * 4, {'size': [30, 40], 'counts': 'x'}, 7, 9, 1.0, 16777217),
)


def _places(value: Any) -> Iterator[tuple[Any, Union[str, int]]]:
    """Every container with a key or an index in it."""
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], (dict, list)):
            yield from _places(value[key])


def _place(content: Any, rng: Random) -> tuple[Any, Any]:
    return rng.choice(list(_places(content)))


def _write(content: Any) -> bytes:
    return json.dumps(content).encode()


def new_value(data: bytes, rng: Random) -> bytes:
    content = json.loads(data)
    for _ in range(rng.choice((1, 1, 4))):
        owner, key = _place(content, rng)
        owner[key] = rng.choice(VALUES)
    return _write(content)


def remove(data: bytes, rng: Random) -> bytes:
    content = json.loads(data)
    owner, key = _place(content, rng)
    del owner[key]
    return _write(content)


def duplicate(data: bytes, rng: Random) -> bytes:
    content = json.loads(data)
    lists = [owner for owner, _ in _places(content) if isinstance(owner, list)]
    owner = rng.choice(lists)
    owner[:] = owner + [rng.choice(owner)] * rng.choice((1, 100))
    return _write(content)


def swap(data: bytes, rng: Random) -> bytes:
    content = json.loads(data)
    places = [place for place in _places(content) if not isinstance(place[0][place[1]], (dict, list))]
    (one, key), (other, name) = rng.sample(places, 2)
    one[key], other[name] = other[name], one[key]
    return _write(content)


def other_type(data: bytes, rng: Random) -> bytes:
    content = json.loads(data)
    owner, key = _place(content, rng)
    value = owner[key]
    wrapped = [value], {'value': value}, str(value), [value, value]
    owner[key] = rng.choice(
        (*wrapped, list(value.values()) if isinstance(value, dict) else {str(i): value for i in 'ab'})
    )
    return _write(content)


def rename(data: bytes, rng: Random) -> bytes:
    content = json.loads(data)
    owner, key = rng.choice([place for place in _places(content) if isinstance(place[0], dict)])
    owner[rng.choice((key.upper(), key + ' ', '', 'id', 'k' * 10_000, '\ud800'))] = owner.pop(key)
    return _write(content)


def nest(data: bytes, rng: Random) -> bytes:
    """In a place that is read, or under a key that nobody reads."""
    depth = rng.choice((1, 100, 300, 900, 5000, 200_000))
    deep = rng.choice((b'[' * depth + b']' * depth, b'{"a":' * depth + b'1' + b'}' * depth))
    content = json.loads(data)
    owner, key = _place(content, rng)
    if rng.random() < 0.5 and isinstance(owner, dict):
        key = 'extra'
    owner[key] = 'DEEP'
    return _write(content).replace(b'"DEEP"', deep)


def wrong_root(data: bytes, rng: Random) -> bytes:
    content = json.loads(data)
    others = [content], content['annotations'], 'x', 3, None, {'data': content}, True
    return rng.choice((_write(rng.choice(others)), b'<annotation/>', b'a: 1', b'{}', b'{} {}', data + data))


def not_quite_json(data: bytes, rng: Random) -> bytes:
    old, new = rng.choice(
        (
            (b'}]', b'},]'),
            (b'"', b"'"),
            (b'{', b'// a comment\n{'),
            (b'"id": 1', b'"id": 01'),
            (b'"id": 1', b'"id": 1, "id": 2'),
            (b'"images"', b'"images": [], "images"'),
            (b'40', b'4' * 5000),
            (b'30', b'1e999'),
            (b'[3, 4, 17, 21]', b'[3, 4, -Infinity, NaN]'),
            (b'"cat"', b'"\\ud83d"'),
            (b'"cat"', b'"ca\tt"'),
        )
    )
    return data.replace(old, new, rng.choice((1, -1)))


def recode(data: bytes, rng: Random) -> bytes:
    text = data.decode().replace('a.jpg', 'a\u00e9.jpg', rng.choice((0, 1)))
    return text.encode(rng.choice(('latin-1', 'utf-16', 'utf-16-le', 'utf-16-be', 'utf-32', 'utf-8-sig', 'utf-7')))


# These leave a file that the others can still take apart.
FIRST = (new_value, swap, other_type)
JSON_MUTATIONS = (
    *(new_value, remove, duplicate, swap, other_type, rename, nest, wrong_root, not_quite_json, recode),
    *(new_value, new_value, new_value, other_type),
    *DAMAGE,
)
