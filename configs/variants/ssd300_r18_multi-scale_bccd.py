# Another size every ten iterations; the default boxes keep theirs, in pixels.
_base_ = '../bccd/ssd300_r18_bccd.py'
resize = dict(type='BatchSyncRandomResize', random_size_range=(260, 340), size_divisor=20, interval=10)
model = dict(data_preprocessor=dict(batch_augments=[resize]))
