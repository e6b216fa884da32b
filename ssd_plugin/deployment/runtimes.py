"""Run an exported file, each format with its own library.

ONNX and OpenVINO files are data. A TorchScript file is a program in a language without access to files or network, run
by an interpreter that PyTorch does not promise to be safe: load none of a stranger. A file of torch.export is data, but
PyTorch 2.13 would unpickle whatever such a file asks it to; here nothing but tensors and plain values is.
"""

import os
import warnings
import zipfile
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Callable
from unittest.mock import patch

import torch
from torch import Tensor, nn

from ssd_plugin.errors import UserError

from .formats import require
from .metadata import KEY, FileMetadata

# Where torch.export's archive keeps objects that only pickle reads.
_OPAQUE = 'opaque_obj'


class Runtime(nn.Module):
    """An exported file, ready to run.

    Args:
        path: The file; its ending says the format.

    Attributes:
        metadata: What the file says of itself.

    Raises:
        UserError: No such file, not one of tools/export.py, or its library is not installed.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        if not path.is_file():
            raise UserError(f'{path}: no such file, expected an exported detector')
        try:
            text = _READERS[path.suffix](self, path)
        except UserError:
            raise
        except Exception as error:
            # Each library has errors of its own for a file that it cannot read.
            reason = (str(error).strip().splitlines() or [''])[0]
            raise UserError(
                f'{path}: not readable ({type(error).__name__}: {reason}), expected a file of tools/export.py'
            ) from error
        self.metadata = FileMetadata.from_json(text, str(path))

    run: Callable[[Tensor], Sequence[Tensor]]

    def forward(self, images: Tensor) -> Sequence[Tensor]:
        """Run it.

        Args:
            images: A batch as the metadata says.

        Returns:
            The outputs, in the order that the metadata has them.
        """
        return self.run(images)

    def train(self, mode: bool = True) -> 'Runtime':
        """Stay as it is: a file predicts alone, and programs of torch.export refuse to be asked."""
        return self

    def _read_onnx(self, path: Path) -> str:
        onnxruntime = require('onnxruntime')
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(str(path), options, providers=['CPUExecutionProvider'])

        def run(images: Tensor) -> list[Tensor]:
            return [torch.from_numpy(part) for part in session.run(None, {'images': images.cpu().numpy()})]

        self.run = run
        return session.get_modelmeta().custom_metadata_map.get(KEY, '')

    def _read_openvino(self, path: Path) -> str:
        core = _openvino_core()
        model = core.read_model(str(path))
        # Without the first it would choose 16 bits where the processor has them.
        hints = {'INFERENCE_PRECISION_HINT': 'f32', 'INFERENCE_NUM_THREADS': torch.get_num_threads()}

        @lru_cache(maxsize=2)
        def compiled(shape: tuple[int, ...]) -> Any:
            # Where the number of images is known, a small network takes up to a quarter less time.
            fixed = model.clone()
            fixed.reshape(list(shape))
            return core.compile_model(fixed, 'CPU', hints)

        def run(images: Tensor) -> list[Tensor]:
            found = compiled(tuple(images.shape))(images.cpu().numpy())
            return [torch.from_numpy(found[i].copy()) for i in range(len(found))]

        self.run = run
        return model.get_rt_info(KEY).value if model.has_rt_info(KEY) else ''

    def _read_torchscript(self, path: Path) -> str:
        extra = {KEY: ''}
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', DeprecationWarning)
            self.run = torch.jit.load(str(path), 'cpu', extra)  # type: ignore[no-untyped-call]
        return _text(extra[KEY])

    def _read_torch_export(self, path: Path) -> str:
        with zipfile.ZipFile(path) as archive:
            if any(_OPAQUE in name for name in archive.namelist()):
                raise UserError(f'{path}: holds pickled objects, which could run code, expected tensors alone')
        extra: dict[str, Any] = {KEY: ''}
        # It loads parts with weights_only=False, which this overrules.
        with patch.dict(os.environ, TORCH_FORCE_WEIGHTS_ONLY_LOAD='1'):
            program = torch.export.load(str(path), extra_files=extra)
        self.run = program.module()
        return _text(extra[KEY])


@cache
def _openvino_core() -> Any:
    """Give the one core of the process.

    OpenVINO 2026.4 lets signals run on a stack of the core's. Of two cores, the one that goes last would bring back the
    stack of the other, which is freed: the next signal, such as the end of a loader's worker, would crash the process.
    """
    return require('openvino').Core()


def _text(content: Any) -> str:
    return content.decode() if isinstance(content, bytes) else content


_READERS: dict[str, Callable[[Runtime, Path], str]] = {
    '.onnx': Runtime._read_onnx,
    '.xml': Runtime._read_openvino,
    '.torchscript': Runtime._read_torchscript,
    '.pt2': Runtime._read_torch_export,
}
