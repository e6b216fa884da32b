# The schedule is that of 07+12; the paper gives none for VOC2007 alone.
_base_ = ['../_base_/models/ssd300_vgg16.py', '../_base_/datasets/voc07.py', '../_base_/schedules/voc_120k.py']
