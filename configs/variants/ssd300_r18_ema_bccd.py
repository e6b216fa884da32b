# Validated, tested and saved is a moving average of the weights; training goes on from the weights themselves.
_base_ = '../bccd/ssd300_r18_bccd.py'
# Over a twentieth of the run: momentum = 20 / 2080 iterations, 0.0002 for 100,000. The start is averaged over less.
ema = dict(type='EMAHook', ema_type='ExpMomentumEMA', momentum=0.01, gamma=100, update_buffers=True, priority=49)
custom_hooks = [*_base_.custom_hooks, ema]
