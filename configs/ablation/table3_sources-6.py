# Table 3: all six layers, 8732 boxes (74.3 with boundary boxes).
_base_ = '../ssd/ssd300_vgg16_voc0712_no-expand.py'
