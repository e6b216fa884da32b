# SSDLite on MobileNetV3-Large, trained as torchvision's (references/detection): 660 passes, crops (by the paper's law)
# and mirroring alone; the learning rate is that of the whole batch of 192.
_base_ = [
    '../_base_/models/ssdlite320_mobilenetv3-large.py',
    '../_base_/datasets/coco.py',
    '../_base_/schedules/cosine_600e.py',
]
from ssd_plugin.config_edits import at_size, with_step

at_size(_base_, _base_.model.input_size)
with_step(_base_, 'ssd_plugin.SSDAugment', distort=False, expand_prob=0.0, random_interpolation=False)
max_epochs = 660
_base_.param_scheduler[1].T_max = max_epochs
train_cfg = dict(max_epochs=max_epochs)
total_batch_size = 192
train_dataloader = dict(
    batch_size=total_batch_size,
    sampler=dict(type='DefaultSampler'),  # epochs, not iterations
)
optim_wrapper = dict(optimizer=dict(lr=0.15))
