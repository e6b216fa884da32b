# The paper's loss: softmax over mined default boxes, and smooth L1 of the deltas.
_base_ = '../bccd/ssd300_r18_bccd.py'
model = dict(
    bbox_head=dict(loss_cls=None, loss_bbox=None),
    train_cfg=dict(sampler=dict(_delete_=True, type='ssd_plugin.HardNegativeSampler', neg_pos_ratio=3)),
)
