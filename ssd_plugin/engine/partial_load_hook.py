"""Start training from a detector of other classes."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from ssd_plugin.converters.convert import read_state_dict
from ssd_plugin.converters.partial import map_classes
from ssd_plugin.errors import UserError
from ssd_plugin.registry import HOOKS

from .checkpoint_safety import load_checkpoint_file

_NAMES_SHOWN = 3


@HOOKS.register_module()
class PartialLoadHook(Hook):
    """Load a trained detector before the first iteration, its class predictors rearranged for the data's classes.

    The default boxes go with the weights: give the generator the sizes that the checkpoint was trained with. Weights of
    another shape than the model's, and weights that the checkpoint lacks, keep their initialisation; one log line says
    what came from where. A resumed run goes on from its own checkpoint, and this one is not opened.

    Args:
        checkpoint: A file of this package or of mmdet, with the names of its classes in ``meta.dataset_meta.classes``.

    Source: ``weiliu89/caffe: examples/convert_model.ipynb``, which copies the rows of the classes that VOC shares with
    COCO.
    """

    def __init__(self, checkpoint: str) -> None:
        self.checkpoint = checkpoint

    def before_train(self, runner: Runner) -> None:
        """Load the weights, in every process.

        Args:
            runner: Its model and training data are built.

        Raises:
            UserError: The checkpoint is missing or damaged, does not name its classes or shares no weight with the
                model, or ``load_from`` names another one.
        """
        if runner.iter > 0:
            return
        if runner._load_from is not None:
            raise UserError(
                f'load_from: {runner._load_from}, expected None beside PartialLoadHook, which loads {self.checkpoint}'
            )
        file = load_checkpoint_file(self.checkpoint)
        try:
            weights, meta = read_state_dict(file)
            source = (meta.get('dataset_meta') or {}).get('classes')
            if not source:
                raise UserError(
                    'no meta.dataset_meta.classes, expected the names of its classes; '
                    'tools/convert_weights.py --classes writes them'
                )
            weights, mapping = map_classes(weights, source, runner.train_dataloader.dataset.metainfo['classes'])
        except UserError as error:
            raise UserError(f'{self.checkpoint}: {error}') from error
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        own = model.state_dict()
        fitting = {key: value for key, value in weights.items() if key in own and own[key].shape == value.shape}
        if not fitting:
            raise UserError(f'{self.checkpoint}: none of its {len(weights)} weights fits the model')
        loaded: dict[str, Any] = {'state_dict': {**own, **fitting}, 'meta': meta}
        # As the runner's own loading does: the average of the weights (EMAHook) starts from them too.
        runner.call_hook('after_load_checkpoint', checkpoint=loaded)
        model.load_state_dict(loaded['state_dict'])
        fresh = [key for key in own if key not in fitting]
        line = (
            f'{self.checkpoint}: {mapping}; {len(fresh)} weights of the model fresh{_some(fresh)}, '
            f'{len(weights) - len(fitting)} of the checkpoint unused{_some([key for key in weights if key not in own])}'
        )
        runner.logger.info(line)


def _some(names: list[str]) -> str:
    if not names:
        return ''
    return f' ({", ".join(names[:_NAMES_SHOWN])}{", ..." if len(names) > _NAMES_SHOWN else ""})'
