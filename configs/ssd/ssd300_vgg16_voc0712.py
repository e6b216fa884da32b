# SSD300* on VOC2007 + VOC2012, the paper's main model; 77.2 mAP on VOC2007 test.
_base_ = ['../_base_/models/ssd300_vgg16.py', '../_base_/datasets/voc0712.py', '../_base_/schedules/voc_120k.py']
