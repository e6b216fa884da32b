custom_imports = dict(imports=['ssd_plugin'], allow_failed_imports=False)
default_scope = 'mmdet'

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='ssd_plugin.SafeCheckpointHook', interval=1, max_keep_ckpts=2, save_best='coco/bbox_mAP'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    exact_resume=dict(type='ssd_plugin.ExactResumeHook'),
    visualization=dict(type='DetVisualizationHook'),
)
custom_hooks = [
    dict(type='ssd_plugin.AnnotationReportHook'),
    dict(type='ssd_plugin.BatchSizeHook'),
    dict(type='ssd_plugin.LoaderMeterHook'),
    dict(type='ssd_plugin.NoDetectionsHook'),
    dict(type='ssd_plugin.NonFiniteLossHook'),
    dict(type='ssd_plugin.QuarantineHook'),
]

env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)
# TensorBoard: visualizer = dict(vis_backends=[dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')])
visualizer = dict(type='DetLocalVisualizer', vis_backends=[dict(type='LocalVisBackend')], name='visualizer')
log_processor = dict(type='LogProcessor', window_size=50, by_epoch=True)
log_level = 'INFO'
load_from = None
resume = False
