# SSD300 on PVTv2-B0.
_base_ = './ssd300_r18_voc0712.py'
model = dict(
    backbone=dict(
        _delete_=True,  # another kind of backbone, with arguments of its own
        type='PyramidVisionTransformerV2',
        embed_dims=32,
        num_layers=[2, 2, 2, 2],
        out_indices=(1, 2, 3),
        init_cfg=dict(checkpoint='https://github.com/whai362/PVT/releases/download/v2/pvt_v2_b0.pth'),
    )
)
