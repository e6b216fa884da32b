"""Trunks of timm."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from mmengine.model import BaseModule
from torch import Tensor

from ssd_plugin.errors import UserError
from ssd_plugin.pretrained_dir import local_weights, not_downloaded
from ssd_plugin.registry import MODELS


@MODELS.register_module()
class TimmBackbone(BaseModule):
    """A trunk of timm (https://github.com/huggingface/pytorch-image-models) that gives maps, by its name.

    Args:
        model_name: As ``timm.list_models()`` has it, with the tag of the weights if they are not the default ones:
            ``mobilenetv3_large_100``, ``resnet18.a1_in1k``.
        out_indices: Maps to give, shallow first, as timm counts them; in most trunks map i has stride 2**(i + 1).
        pretrained: Load timm's weights: ``MODEL.TAG.safetensors`` from the folder that the environment variable
            ``SSD_PRETRAINED_DIR`` names, or else from the Hugging Face hub.
        options: More arguments of ``timm.create_model``, such as ``img_size`` of transformers.

    Raises:
        UserError: timm is not installed, has no such trunk, or its weights are not to be had.
    """

    def __init__(
        self, model_name: str, out_indices: Sequence[int] = (2, 3, 4), pretrained: bool = False, **options: Any
    ) -> None:
        super().__init__()
        try:
            import timm
        except ModuleNotFoundError as error:
            raise UserError('backbone.type: TimmBackbone needs timm, expected it: pip install timm') from error
        if model_name.partition('.')[0] not in timm.list_models():
            near = get_close_matches(model_name, timm.list_models(), 5) or 'a name of timm.list_models()'
            raise UserError(
                f'backbone.model_name: {model_name!r} is no trunk of timm {timm.__version__}, expected {near}'
            )
        config = timm.get_pretrained_cfg(model_name)
        if pretrained:
            if not config.has_weights:
                raise UserError(f'backbone.pretrained: timm has no weights of {model_name}, expected False')
            name = f'{config.architecture}.{config.tag}.safetensors'
            file = local_weights(name, f'backbone.pretrained of {model_name}')
            if file is not None:
                options['pretrained_cfg_overlay'] = dict(file=str(file))
        try:
            self.trunk = timm.create_model(
                model_name, pretrained=pretrained, features_only=True, out_indices=tuple(out_indices), **options
            )
        except OSError as error:
            raise not_downloaded(name, f'backbone.pretrained of {model_name}', type(error).__name__) from error
        # Some transformers keep channels last.
        self._to_channels_first = getattr(self.trunk, 'output_fmt', None) == 'NHWC'

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Extract the feature maps of images.

        Args:
            x: (B, 3, H, W) float.

        Returns:
            One (B, C, h, w) per output, shallow first.
        """
        maps = self.trunk(x)
        return tuple(level.permute(0, 3, 1, 2) for level in maps) if self._to_channels_first else tuple(maps)
