# Table 2: boxes without the ratios 1/3 and 3, 7760 in all (73.7).
_base_ = '../ssd/ssd300_vgg16_voc0712_no-expand.py'
model = dict(bbox_head=dict(anchor_generator=dict(ratios=[[2]] * 6)))
