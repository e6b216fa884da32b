# Table 2: everything but the expansion trick (74.3).
_base_ = '../ssd/ssd300_vgg16_voc0712_no-expand.py'
