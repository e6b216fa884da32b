# SSD300 on Swin-T.
_base_ = './ssd300_r18_voc0712.py'
model = dict(
    backbone=dict(
        _delete_=True,  # another kind of backbone, with arguments of its own
        type='SwinTransformer',
        drop_path_rate=0.2,
        out_indices=(1, 2, 3),
        convert_weights=True,  # the file has the authors' names of keys
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://github.com/SwinTransformer/storage/releases/download/v1.0.0/swin_tiny_patch4_window7_224.pth',
        ),
    )
)
