"""Reads the arrays of a ``.caffemodel``, without Caffe.

The file is one protocol buffer message. Only the few fields that hold names, shapes and numbers are described, at run
time; everything else is skipped as unknown. The numbers are declared as bytes, which a packed list of floats is on the
wire: they are then one buffer, and not millions of Python floats.

Source: BVLC/caffe, src/caffe/proto/caffe.proto (message names and field numbers).
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory  # type: ignore[import-untyped]
from torch import Tensor

from ssd_plugin.errors import UserError

from .check_weights import check_weights

_Field = descriptor_pb2.FieldDescriptorProto
_MESSAGES: dict[str, list[tuple[str, int, int, bool, str]]] = {
    # name, number, type, repeated, message type
    'BlobShape': [('dim', 1, _Field.TYPE_INT64, True, '')],
    'BlobProto': [
        ('num', 1, _Field.TYPE_INT32, False, ''),
        ('channels', 2, _Field.TYPE_INT32, False, ''),
        ('height', 3, _Field.TYPE_INT32, False, ''),
        ('width', 4, _Field.TYPE_INT32, False, ''),
        ('data', 5, _Field.TYPE_BYTES, False, ''),
        ('shape', 7, _Field.TYPE_MESSAGE, False, 'BlobShape'),
    ],
    'LayerParameter': [
        ('name', 1, _Field.TYPE_STRING, False, ''),
        ('blobs', 7, _Field.TYPE_MESSAGE, True, 'BlobProto'),
    ],
    'V1LayerParameter': [
        ('name', 4, _Field.TYPE_STRING, False, ''),
        ('blobs', 6, _Field.TYPE_MESSAGE, True, 'BlobProto'),
    ],
    'NetParameter': [
        ('layers', 2, _Field.TYPE_MESSAGE, True, 'V1LayerParameter'),
        ('layer', 100, _Field.TYPE_MESSAGE, True, 'LayerParameter'),
    ],
}


@lru_cache(maxsize=1)
def net_parameter_class() -> Any:
    """Build the message class ``NetParameter``, reduced to names, shapes and numbers."""
    file = descriptor_pb2.FileDescriptorProto(
        name='ssd_plugin/caffe.proto', package='ssd_plugin.caffe', syntax='proto2'
    )
    for name, fields in _MESSAGES.items():
        described = file.message_type.add(name=name)
        for field_name, number, kind, repeated, message_type in fields:
            field = described.field.add(name=field_name, number=number, type=kind)
            field.label = _Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL
            if message_type:
                field.type_name = f'.ssd_plugin.caffe.{message_type}'
    # A pool of its own: a Caffe in the same process may have registered its messages in the default one.
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName('ssd_plugin.caffe.NetParameter'))


def read_caffemodel(path: Path) -> dict[str, Tensor]:
    """Read the arrays of every layer.

    Args:
        path: The file.

    Returns:
        ``LAYER.weight`` and ``LAYER.bias``, float32, for a layer's first and second array, ``LAYER.2`` and so on after
        them. Biases are flat, also in old files, which store every array with four dimensions.

    Raises:
        UserError: If the file is missing, is no protocol buffer of that kind, or an array is incomplete.
    """
    if not path.is_file():
        raise UserError(f'{path} is missing, expected a .caffemodel file')
    net = net_parameter_class()()
    try:
        net.ParseFromString(path.read_bytes())
    except message.DecodeError as error:
        raise UserError(f'{path} is no .caffemodel or is truncated ({error}), expected a whole file') from error
    arrays: dict[str, Tensor] = {}
    for layer in [*net.layers, *net.layer]:
        for number, blob in enumerate(layer.blobs):
            name = ('weight', 'bias')[number] if number < 2 else str(number)
            array = _array(blob, f'{path}: layer {layer.name!r}')
            arrays[f'{layer.name}.{name}'] = array.flatten() if name == 'bias' else array
    if not arrays:
        raise UserError(f'{path} holds no weights, expected a trained .caffemodel')
    check_weights(arrays)
    return arrays


def _array(blob: Any, where: str) -> Tensor:
    old_style = (blob.num, blob.channels, blob.height, blob.width)
    shape = tuple(blob.shape.dim) if blob.HasField('shape') else old_style
    if len(blob.data) != 4 * int(np.prod(shape)):
        raise UserError(f'{where} has {len(blob.data)} bytes of numbers, expected float32 of shape {shape}')
    return torch.from_numpy(np.frombuffer(blob.data, '<f4').astype(np.float32).reshape(shape))
