"""Spoilt XML annotations: a text that parsers, readers or people have been known to write wrong."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from random import Random

from mutate_bytes import DAMAGE, Mutation

TEXTS = (
    *('', ' ', '0', '-1', '-0', '+5', ' 7\n', '1.5', '1,5', '1e5', '1e400', '-1e400', 'nan', 'inf', '-Infinity'),
    *('9' * 5000, '0x10', '1_000', 'true', 'None', '\u0663', '\uff11\uff12', '\u00b2', '\u00bd', '\u202e'),
    *('\U0001f600', 'x' * 100_000, '../../a', '&#1;', 'cat', 'CAT', 'c\u0430t'),
    *('16777217', '2147483648', '99999999999999999999'),
)
ENTITIES = ''.join(f'<!ENTITY e{i + 1} "{f"&e{i};" * 10}">' for i in range(12))
BOMB = f'<!DOCTYPE a [<!ENTITY e0 "ha">{ENTITIES}]>'
EXTERNAL = '<!DOCTYPE a [<!ENTITY e12 SYSTEM "file:///etc/passwd">]>'
SQUARE = f'<!DOCTYPE a [<!ENTITY e12 "{"a" * 5000}">]>'


def _on_tree(change: Callable[[ElementTree.Element, list[ElementTree.Element], Random], None]) -> Mutation:
    def mutate(data: bytes, rng: Random) -> bytes:
        root = ElementTree.fromstring(data)
        change(root, list(root.iter())[1:], rng)
        return ElementTree.tostring(root, encoding='utf-8')

    mutate.__name__ = change.__name__
    return mutate


def _parent(root: ElementTree.Element, element: ElementTree.Element) -> ElementTree.Element:
    return next(one for one in root.iter() if element in list(one))


@_on_tree
def remove(root: ElementTree.Element, elements: list[ElementTree.Element], rng: Random) -> None:
    element = rng.choice(elements)
    _parent(root, element).remove(element)


@_on_tree
def duplicate(root: ElementTree.Element, elements: list[ElementTree.Element], rng: Random) -> None:
    element = rng.choice(elements)
    for _ in range(rng.choice((1, 1, 200))):
        _parent(root, element).insert(0, element)


@_on_tree
def move(root: ElementTree.Element, elements: list[ElementTree.Element], rng: Random) -> None:
    element, target = rng.sample(elements, 2)
    _parent(root, element).remove(element)
    if target not in element.iter():
        target.append(element)


@_on_tree
def swap_texts(root: ElementTree.Element, elements: list[ElementTree.Element], rng: Random) -> None:
    one, other = rng.sample([element for element in elements if not len(element)], 2)
    one.text, other.text = other.text, one.text


@_on_tree
def rename(root: ElementTree.Element, elements: list[ElementTree.Element], rng: Random) -> None:
    rng.choice([root, *elements]).tag = rng.choice(
        ('x', 'Object', 'name', 'xmin', 'bndbox', 'n' * 70_000, '\u00e9t\u00e9')
    )


def nest(data: bytes, rng: Random) -> bytes:
    """Written as text: the library cannot write what it reads."""
    tag = rng.choice((b'object', b'size', b'a'))
    depth = rng.choice((1, 200, 5000, 100_000))
    place = rng.choice([i for i in range(len(data)) if data[i : i + 1] == b'<'][1:])
    return data[:place] + b'<%s>' % tag * depth + b'</%s>' % tag * depth + data[place:]


@_on_tree
def empty(root: ElementTree.Element, elements: list[ElementTree.Element], rng: Random) -> None:
    element = rng.choice([root, *elements])
    element[:], element.text = [], None


def new_text(data: bytes, rng: Random) -> bytes:
    """Twice as likely as the others in one of the fields that are read."""
    root = ElementTree.fromstring(data)
    fields = [element for element in root.iter() if not len(element)]
    read = [
        one for one in fields if one.tag in ('width', 'height', 'name', 'difficult', 'xmin', 'ymin', 'xmax', 'ymax')
    ]
    rng.choice(rng.choice((fields, read, read))).text = rng.choice(TEXTS)
    return ElementTree.tostring(root, encoding='utf-8')


def entity(data: bytes, rng: Random) -> bytes:
    """Billion laughs, a file of the machine, or a long text many times."""
    head, tail = data.split(b'<object>', 1)
    count = rng.choice((1, 3000))
    reference = rng.choice((b'&e12;' * count, b'<object>&e12;', b'<name>&e12;</name>'))
    return rng.choice((BOMB, EXTERNAL, SQUARE, '')).encode() + head + reference + b'<object>' + tail


def recode(data: bytes, rng: Random) -> bytes:
    """Another encoding than is declared, or a declared one that nobody expects."""
    text = data.decode()
    said = rng.choice(
        ('', *(f'<?xml version="1.0" encoding="{name}"?>' for name in ('utf-8', 'latin-1', 'UTF-16', 'x')))
    )
    text = said + text.replace('cat', 'cat\u00e9', rng.choice((0, 1)))
    return text.encode(rng.choice(('utf-8', 'latin-1', 'utf-16', 'utf-16-le', 'utf-32', 'utf-7', 'utf-8-sig')))


def wrong_root(data: bytes, rng: Random) -> bytes:
    return rng.choice(
        (b'<html><body>404</body></html>', b'<a/>', b'{"images": []}', b'plain text', b'<x>%s</x>' % data)
    )


def namespaces_comments_and_sections(data: bytes, rng: Random) -> bytes:
    old, new = rng.choice(
        (
            (b'<annotation>', b'<annotation xmlns="urn:voc">'),
            (b'<object>', b'<object xmlns:v="urn:v" v:a="1" a="2">'),
            (b'cat', b'<![CDATA[cat]]>'),
            (b'cat', b'c<!-- the cat -->at'),
            (b'<xmin>', b'<xmin><?php 3 ?>'),
            (b'<object>', b'<!-- <object>'),
            (b'>', b'>&nbsp;'),
            (b'<object>', b'<object/><object>'),
        )
    )
    return data.replace(old, new, 1)


# These leave a file that the others can still take apart.
FIRST = (new_text, duplicate, swap_texts)
XML_MUTATIONS = (
    *(new_text, remove, duplicate, move, swap_texts, rename, nest, empty, entity, recode, wrong_root),
    *(namespaces_comments_and_sections, new_text, new_text),
    *DAMAGE,
)
