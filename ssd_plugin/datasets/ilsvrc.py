"""ImageNet's detection data."""

from mmdet.datasets import CocoDataset
from mmdet.evaluation.functional import imagenet_det_classes

from ssd_plugin.registry import DATASETS


@DATASETS.register_module()
class ILSVRCDetDataset(CocoDataset):
    """ILSVRC DET, 200 classes, from the COCO files that ``tools/prepare_dataset.py ilsvrc`` writes.

    Arguments are those of mmdet's ``CocoDataset``.

    Source: ``weiliu89/caffe: data/ILSVRC2016/labelmap_ilsvrc_det.prototxt``, whose order of classes mmdet shares.
    """

    METAINFO = {'classes': tuple(imagenet_det_classes())}
