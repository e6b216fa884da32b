_base_ = ['../_base_/models/ssd300_vgg16.py', '../_base_/datasets/voc0712.py', '../_base_/schedules/voc_120k.py']
