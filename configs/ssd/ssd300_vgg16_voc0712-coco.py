# Fine-tuned from COCO, classes mapped by name. The authors give 120,000 iterations; milestone and rate are second hand.
_base_ = './ssd300_vgg16_voc0712.py'
from ssd_plugin.config_edits import fine_tuned_from, trained_for

fine_tuned_from(_base_, '{{$COCO_CHECKPOINT:work_dirs/ssd300_vgg16_coco/iter_400000.pth}}')
trained_for(_base_, 120000, milestones=[80000])
optim_wrapper = dict(optimizer=dict(lr=1e-4))
model = dict(bbox_head=dict(anchor_generator=dict(basesize_ratio_range=(0.15, 0.9))))  # of COCO, with the weights
