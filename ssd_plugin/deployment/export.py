"""Export a trained detector: network, metadata, file, gate; the file is put in its place only after the gate."""

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any, Optional

import torch
from mmengine.config import Config

import ssd_plugin
from ssd_plugin.errors import UserError
from ssd_plugin.models.dense_heads.post_processor import SSDPostProcessor

from .exported_detector import ExportedDetector
from .formats import FORMATS, SUPPRESSING, require
from .gate import GateImages, measure_ap, prove
from .metadata import FileMetadata
from .network import ExportableSSD
from .parity import Tolerances
from .quantization import Calibration, check_ap_drop, quantize
from .suppression import check_suppression


def describe(
    detector: Any, network: ExportableSSD, config: Config, checkpoint: Path, preprocess: str, nms: str
) -> FileMetadata:
    """Collect what the file will say of itself.

    Args:
        detector: With ``dataset_meta``.
        network: Made of it.
        config: Its config.
        checkpoint: Its checkpoint.
        preprocess: 'inside' or 'outside'.
        nms: 'inside' or 'outside'.
    """
    head = detector.bbox_head
    post_processor: SSDPostProcessor = head._post_processor(head.test_cfg)
    settings: dict[str, Any] = dict(
        score_thr=post_processor.score_thr, nms=dict(post_processor.nms), max_per_img=post_processor.max_per_img
    )
    settings['nms_pre' if post_processor.per_level else 'nms_pre_per_class'] = post_processor.nms_pre
    if post_processor.score_voting:
        settings['score_voting'] = True
    if post_processor.min_bbox_size is not None:
        settings['min_bbox_size'] = post_processor.min_bbox_size
    classes = detector.dataset_meta['classes']
    if len(classes) != head.num_classes:
        raise UserError(
            f'{checkpoint}: names {len(classes)} classes, expected {head.num_classes}, those of the config: '
            'tools/train.py and tools/convert_weights.py put their names into a checkpoint'
        )
    return FileMetadata(
        classes=list(classes),
        input_size=list(detector.input_size),
        mean=network.mean.tolist(),
        std=network.std.tolist(),
        channel_order='RGB' if network.swap_channels else 'BGR',
        preprocess=preprocess,
        nms=nms,
        test_cfg=settings,
        level_priors=network.level_priors,
        config=Path(config.filename or '').name,
        config_sha256=hashlib.sha256(config.pretty_text.encode()).hexdigest(),
        checkpoint_sha256=hashlib.sha256(checkpoint.read_bytes()).hexdigest(),
        versions={'ssd_plugin': ssd_plugin.__version__, 'torch': torch.__version__},
    )


def check_export(form: str, nms: str, out: Path, int8: bool = False) -> None:
    """Check what is asked for, before anything is computed.

    Args:
        form: Key of :data:`~ssd_plugin.deployment.formats.FORMATS`.
        nms: 'inside' or 'outside'.
        out: The file.
        int8: Whether it is to compute in 8 bits.

    Raises:
        UserError: The ending is of another format, the format has no suppression or no 8 bits, or a library is missing.
    """
    suffix, _, modules = FORMATS[form]
    if out.suffix != suffix:
        raise UserError(f'--out is {out}, expected a file name ending in {suffix} for --format {form}')
    if nms == 'inside' and form not in SUPPRESSING:
        raise UserError(f'--nms inside: {form} has no suppression, expected outside, or one of {SUPPRESSING}')
    if int8 and form != 'openvino':
        raise UserError(f'--int8: not made as {form}, expected --format openvino')
    for module in (*modules, 'nncf') if int8 else modules:
        require(module)


def write_proved(
    inferencer: Any,
    checkpoint: Path,
    form: str,
    nms: str,
    preprocess: str,
    images: GateImages,
    out: Path,
    calibration: Optional[Calibration] = None,
) -> str:
    """Write a file, and leave it only if it predicts as the detector does.

    Args:
        inferencer: mmdet's, of the config and the checkpoint, on the CPU.
        checkpoint: The checkpoint.
        form: Key of :data:`~ssd_plugin.deployment.formats.FORMATS`.
        nms: Whether suppression is 'inside' the file or 'outside'.
        preprocess: Whether mean, deviation and order of channels are dealt with 'inside' or 'outside'.
        images: Of the gate.
        out: The file; its folder is made.
        calibration: Of a file in 8 bits, made of the proved one; None: the proved one.

    Returns:
        The table of the gate, and what 8 bits cost.

    Raises:
        UserError: The detector cannot be exported so, its file predicts something else, or 8 bits cost too much AP.
    """
    network = ExportableSSD(inferencer.model, preprocess)
    metadata = describe(inferencer.model, network, inferencer.cfg, checkpoint, preprocess, nms)
    if nms == 'inside':
        check_suppression(metadata.test_cfg)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f'.{out.name}-', dir=out.parent) as folder:
        draft = Path(folder, out.name)
        FORMATS[form][1](network, metadata, draft)
        exported = ExportedDetector(str(draft)).eval()
        table = prove(inferencer.model, exported, images, Tolerances())
        if calibration is not None:
            finished = Path(folder, 'int8')
            finished.mkdir()
            quantized = quantize(exported, calibration.samples, finished / out.name)
            full, less = (measure_ap(detector, images) for detector in (exported, quantized))
            table += '\n' + check_ap_drop(full, less, calibration.max_ap_drop)
        else:
            finished = Path(folder)
        # OpenVINO's .xml last: it is the one that is opened, and needs the .bin.
        for part in sorted(finished.iterdir()):
            os.replace(part, out.parent / part.name)
    return table
