# The paper has VOC2007 alone without the expansion trick only; the iterations are doubled for it, as for 07+12.
_base_ = ['../_base_/models/ssd300_vgg16.py', '../_base_/datasets/voc07.py', '../_base_/schedules/voc_120k.py']
