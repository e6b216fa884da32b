# Learns from a larger detector too, whose weights `tools/train.py configs/variants/ssd300_r34_bccd.py` writes.
_base_ = '../bccd/ssd300_r18_bccd.py'
model = dict(
    type='ssd_plugin.DistilledSSD',
    teacher_config='{{fileDirname}}/ssd300_r34_bccd.py',
    teacher_ckpt='work_dirs/ssd300_r34_bccd/epoch_80.pth',
)
