# Table 2: boxes without the ratios 1/2, 2, 1/3 and 3, 3880 in all (71.6).
_base_ = '../ssd/ssd300_vgg16_voc0712_no-expand.py'
model = dict(bbox_head=dict(anchor_generator=dict(ratios=[[]] * 6)))
