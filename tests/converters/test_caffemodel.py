import struct
from pathlib import Path

import pytest
import torch

from ssd_plugin.converters.caffemodel import read_caffemodel
from ssd_plugin.errors import UserError


def varint(value: int) -> bytes:
    low, rest = value & 127, value >> 7
    return bytes([low | 128]) + varint(rest) if rest else bytes([low])


def field(number: int, content: bytes) -> bytes:
    """A length-delimited field of a protocol buffer."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def floats(*values: float) -> bytes:
    return field(5, struct.pack(f'<{len(values)}f', *values))


def shape(*sides: int) -> bytes:
    return field(7, field(1, b''.join(varint(side) for side in sides)))


def old_shape(*sides: int) -> bytes:
    return b''.join(varint(number << 3) + varint(side) for number, side in enumerate(sides, 1))


def test_current_layout(tmp_path: Path) -> None:
    """The layer also has a type, a bottom and a float of its parameters, which are of no interest."""
    weight, bias = shape(2, 1, 1, 2) + floats(1, 2, 3, 4), shape(2) + floats(0.5, -0.5)
    layer = field(1, b'conv1_1') + field(2, b'Convolution') + field(3, b'data') + varint(5 << 3 | 5) + b'\0\0\0\0'
    path = tmp_path / 'net.caffemodel'
    path.write_bytes(
        field(1, b'VGG') + field(100, layer + field(7, weight) + field(7, bias)) + field(100, field(1, b'x'))
    )
    arrays = read_caffemodel(path)
    assert sorted(arrays) == ['conv1_1.bias', 'conv1_1.weight']
    assert torch.equal(arrays['conv1_1.weight'], torch.tensor([[[[1.0, 2.0]]], [[[3.0, 4.0]]]]))
    assert arrays['conv1_1.bias'].tolist() == [0.5, -0.5]


def test_old_layout(tmp_path: Path) -> None:
    """Field 2 instead of 100, other field numbers in the layer, four dimensions for everything."""
    weight, bias = old_shape(2, 1, 1, 2) + floats(1, 2, 3, 4), old_shape(1, 1, 1, 2) + floats(5, 6)
    path = tmp_path / 'net.caffemodel'
    path.write_bytes(field(2, field(4, b'fc6') + varint(5 << 3) + varint(4) + field(6, weight) + field(6, bias)))
    arrays = read_caffemodel(path)
    assert arrays['fc6.weight'].shape == (2, 1, 1, 2)
    assert arrays['fc6.bias'].tolist() == [5, 6]


def test_truncated_file(tmp_path: Path) -> None:
    whole = field(100, field(1, b'conv1_1') + field(7, shape(4) + floats(1, 2, 3, 4)))
    path = tmp_path / 'net.caffemodel'
    path.write_bytes(whole[:-3])
    with pytest.raises(UserError, match=r'net.caffemodel is no .caffemodel or is truncated'):
        read_caffemodel(path)


def test_numbers_that_do_not_fill_the_shape(tmp_path: Path) -> None:
    path = tmp_path / 'net.caffemodel'
    path.write_bytes(field(100, field(1, b'fc7') + field(7, shape(2, 3) + floats(1, 2))))
    with pytest.raises(UserError, match=r"layer 'fc7' has 8 bytes of numbers, expected float32 of shape \(2, 3\)"):
        read_caffemodel(path)


def test_missing_and_empty_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='is missing'):
        read_caffemodel(tmp_path / 'net.caffemodel')
    (tmp_path / 'net.caffemodel').write_bytes(b'')
    with pytest.raises(UserError, match='holds no weights'):
        read_caffemodel(tmp_path / 'net.caffemodel')
