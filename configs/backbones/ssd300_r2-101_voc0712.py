# SSD300 on Res2Net-101.
_base_ = './ssd300_r18_voc0712.py'
model = dict(
    backbone=dict(
        _delete_=True,  # another kind of backbone, with arguments of its own
        type='Res2Net',
        depth=101,
        scales=4,
        base_width=26,
        out_indices=(1, 2, 3),
        init_cfg=dict(type='Pretrained', checkpoint='open-mmlab://res2net101_v1d_26w_4s'),
    )
)
