"""Write a network into a file of each format."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Callable

import torch

from ssd_plugin.errors import UserError

from .metadata import KEY, FileMetadata
from .network import ExportableSSD
from .suppression import BEFORE_SUPPRESSION, add_suppression

Writer = Callable[[ExportableSSD, FileMetadata, Path], None]
OPSET = 18


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what torch's exporters say of themselves."""
    logger = logging.getLogger('torch.onnx')
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            yield
    finally:
        logger.setLevel(level)


def require(module: str) -> Any:
    """Import a library that only exported files need.

    Args:
        module: Its name.

    Raises:
        UserError: It is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise UserError(
            f'{module} is not installed, expected it: '
            "pip install -c requirements/constraints.txt '.[export]' in the folder of ssd_plugin"
        ) from error


def _program(network: ExportableSSD) -> Any:
    example = network.example()
    with torch.no_grad():
        network(example)  # what is kept from the first batch on has to be real
        return torch.export.export(network, (example,), dynamic_shapes={'images': {0: torch.export.Dim('batch')}})


def write_onnx(network: ExportableSSD, metadata: FileMetadata, path: Path) -> None:
    """Write ONNX, for onnxruntime and whatever else reads it.

    Args:
        network: What to write.
        metadata: What goes into the file, too; says whether suppression does.
        path: The file.
    """
    import onnx

    with _quiet():
        torch.onnx.export(
            network,
            (network.example(),),
            str(path),
            input_names=['images'],
            output_names=list(BEFORE_SUPPRESSION if metadata.nms == 'inside' else ('bboxes', 'scores')),
            dynamic_shapes={'images': {0: torch.export.Dim('batch')}},
            opset_version=OPSET,
            external_data=False,
            dynamo=True,
            verbose=False,
        )
    if metadata.nms == 'inside':
        add_suppression(path, metadata)
    model = onnx.load(str(path))
    onnx.helper.set_model_props(model, {KEY: metadata.to_json()})
    onnx.save(model, str(path))


def write_openvino(network: ExportableSSD, metadata: FileMetadata, path: Path) -> None:
    """Write OpenVINO's pair of files, .xml and .bin beside it, by way of ONNX; arguments as of :func:`write_onnx`."""
    openvino = require('openvino')
    onnx_path = path.with_suffix('.onnx')
    write_onnx(network, metadata, onnx_path)
    model = openvino.convert_model(str(onnx_path))
    model.set_rt_info(metadata.to_json(), KEY)
    openvino.save_model(model, str(path), compress_to_fp16=False)
    onnx_path.unlink()


def write_torchscript(network: ExportableSSD, metadata: FileMetadata, path: Path) -> None:
    """Write TorchScript, by tracing; arguments as of :func:`write_onnx`."""
    with _quiet(), torch.no_grad():
        network(network.example())
        traced = torch.jit.trace(network, network.example(), check_trace=False)  # type: ignore[no-untyped-call]
        torch.jit.save(traced, str(path), _extra_files={KEY: metadata.to_json()})


def write_torch_export(network: ExportableSSD, metadata: FileMetadata, path: Path) -> None:
    """Write an ExportedProgram of torch.export; arguments as of :func:`write_onnx`."""
    with _quiet():
        torch.export.save(_program(network), str(path), extra_files={KEY: metadata.to_json()})


# By value of --format: the ending of the file, the writer, and what has to be installed.
FORMATS: dict[str, tuple[str, Writer, tuple[str, ...]]] = {
    'onnx': ('.onnx', write_onnx, ('onnx', 'onnxscript', 'onnxruntime')),
    'openvino': ('.xml', write_openvino, ('onnx', 'onnxscript', 'openvino')),
    'torchscript': ('.torchscript', write_torchscript, ()),
    'torch-export': ('.pt2', write_torch_export, ()),
}
# Those whose operators include suppression.
SUPPRESSING = ('onnx', 'openvino')
