# A feature pyramid over ResNet's maps, SSD's extra layers on top of it.
_base_ = '../bccd/ssd300_r18_bccd.py'
extra_layers = _base_.model.neck
model = dict(neck=[dict(type='FPN', out_channels=128), extra_layers])
