# Fine-tuned from COCO with the schedule of SSD300, whose milestone and rate are second hand.
_base_ = './ssd300_vgg16_voc0712pp-coco.py'
from ssd_plugin.config_edits import at_size, fine_tuned_from

at_size(_base_, 512)
fine_tuned_from(_base_, '{{$COCO_CHECKPOINT:work_dirs/ssd512_vgg16_coco/iter_360000.pth}}')
model = dict(bbox_head=dict(anchor_generator=dict(basesize_ratio_range=(0.1, 0.9))))  # of COCO, with the weights
