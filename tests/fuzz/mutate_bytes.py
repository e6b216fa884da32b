"""Damage of any file: each kind is a function of the bytes and of a generator that decides on place and amount."""

from collections.abc import Callable, Sequence
from random import Random

Mutation = Callable[[bytes, Random], bytes]


def flip_bits(data: bytes, rng: Random) -> bytes:
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 3, 20))):
        out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return bytes(out)


def overwrite(data: bytes, rng: Random) -> bytes:
    start, size = rng.randrange(len(data)), rng.choice((1, 4, 64))
    return data[:start] + rng.randbytes(size) + data[start + size :]


def cut_the_end(data: bytes, rng: Random) -> bytes:
    return data[: rng.choice((0, rng.randrange(len(data)), len(data) - 1))]


def cut_out(data: bytes, rng: Random) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.choice((1, 10, len(data) // 3)) :]


def double_a_part(data: bytes, rng: Random) -> bytes:
    start = rng.randrange(len(data))
    stop = min(len(data), start + rng.choice((1, 30, len(data))))
    return data[:stop] + data[start:]


def swap_parts(data: bytes, rng: Random) -> bytes:
    a, b, c = sorted(rng.randrange(len(data)) for _ in range(3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def insert_strange_bytes(data: bytes, rng: Random) -> bytes:
    strange = rng.choice(
        (b'\0', b'\0' * 300, b'\xff', b'\xed\xa0\x80', b'\x1b[31m', b'\r', b'\x80\x81', b'\xe2\x80\xae')
    )
    start = rng.randrange(len(data))
    return data[:start] + strange + data[start:]


def prefix(data: bytes, rng: Random) -> bytes:
    return rng.choice((b'\xef\xbb\xbf', b'\xff\xfe', b'\xfe\xff', b'\0', b'\n\n', b'\x1f\x8b', b'PK\x03\x04')) + data


def twice(data: bytes, rng: Random) -> bytes:
    return data * 2


def zeros(data: bytes, rng: Random) -> bytes:
    """What a file system leaves after a loss of power: the length without the content."""
    start = rng.choice((0, rng.randrange(len(data))))
    return data[:start] + bytes(len(data) - start)


DAMAGE = (
    flip_bits,
    overwrite,
    cut_the_end,
    cut_out,
    double_a_part,
    swap_parts,
    insert_strange_bytes,
    prefix,
    twice,
    zeros,
)


def spoil(data: bytes, number: int, rng: Random, kinds: Sequence[Mutation], before: Sequence[Mutation] = ()) -> bytes:
    """Apply the kind of this number; sometimes one of ``before`` goes first, because faults do not come alone."""
    if before and rng.random() < 0.4:
        data = rng.choice(before)(data, rng)
    return kinds[number % len(kinds)](data, rng)
