# Without the expansion trick here and on COCO. Half the iterations of the longer run, as the paper has it elsewhere.
_base_ = './ssd512_vgg16_voc0712pp-coco.py'
from ssd_plugin.config_edits import fine_tuned_from, trained_for, without_expansion

without_expansion(_base_)
fine_tuned_from(_base_, '{{$COCO_CHECKPOINT:work_dirs/ssd512_vgg16_coco_no-expand/iter_240000.pth}}')
trained_for(_base_, 80000, milestones=[60000])
