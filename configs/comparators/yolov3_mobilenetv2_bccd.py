# mmdet's YOLOv3 from random weights. Of its two trunks MobileNetV2 is nearer to SSD300 on ResNet-18 in cost: 1.6 GMACs
# beside 3.6; Darknet-53 takes 19.3.
_base_ = ['../_base_/datasets/bccd_light-augmentation.py', '../_base_/schedules/adamw_80e.py']
from ssd_plugin.config_edits import with_step
from ssd_plugin.shipped_configs import mmdet_config

input_size = (320, 320)  # multiples of 32
with_step(_base_, 'ssd_plugin.SSDAugment', scale=input_size)
with_step(_base_, 'ssd_plugin.SSDResize', scale=input_size)
model = mmdet_config('yolo/yolov3_mobilenetv2_8xb24-ms-416-300e_coco.py').model.to_dict()
model['backbone']['init_cfg'] = None
model['bbox_head']['num_classes'] = 3
# The nine sizes for 416 pixels times 320 / 416, for objects of 15 to 160 pixels.
model['bbox_head']['anchor_generator']['base_sizes'] = [
    [(89, 69), (120, 152), (287, 251)],
    [(23, 47), (48, 35), (45, 92)],
    [(8, 10), (12, 23), (25, 18)],
]
