# SSDLite on MobileNetV2 by mmdet's scratch recipe (ssdlite_mobilenetv2-scratch_8xb24-600e_coco), but for the paper's
# augmentation; the learning rate is that of the whole batch of 192.
_base_ = [
    '../_base_/models/ssdlite320_mobilenetv2.py',
    '../_base_/datasets/coco.py',
    '../_base_/schedules/cosine_600e.py',
]
from ssd_plugin.config_edits import at_size

at_size(_base_, _base_.model.input_size)
total_batch_size = 192
train_dataloader = dict(
    batch_size=total_batch_size,
    sampler=dict(type='DefaultSampler'),  # epochs, not iterations
)
