from typing import Any, Optional

import pytest
import torch
from mmengine.model import BaseModel, BaseTTAModel
from torch import nn

from ssd_plugin.cli.checkpoint_fit import check_fit
from ssd_plugin.errors import UserError


def network(classes: int = 2, layers: int = 1) -> nn.Sequential:
    return nn.Sequential(*[nn.BatchNorm2d(3) for _ in range(layers)], nn.Conv2d(3, classes, 1))


@pytest.mark.parametrize('bare', [True, False])
def test_the_own_weights_are_loaded(bare: bool) -> None:
    weights = network().state_dict()
    model = network()
    check_fit(model, weights if bare else {'state_dict': weights, 'meta': {}, 'ema_state_dict': {}}, 'a.pth')
    assert all(torch.equal(value, weights[key]) for key, value in model.state_dict().items())


def test_differences_that_do_not_count() -> None:
    weights = {f'module.{key}': value for key, value in network().state_dict().items() if 'num_batches' not in key}
    check_fit(network(), {'state_dict': {**weights, 'ema_0_weight': torch.zeros(3)}}, 'a.pth')


def test_a_model_inside_others() -> None:
    class Plain(BaseModel):
        def forward(self, inputs: torch.Tensor, data_samples: Optional[list] = None, mode: str = 'tensor') -> Any:
            raise NotImplementedError

    class Mirrored(BaseTTAModel):
        def merge_preds(self, data_samples_list: list[Any]) -> Any:
            raise NotImplementedError

    model = Plain()
    model.network = network()
    weights = model.state_dict()
    check_fit(Mirrored(module=model), weights, 'a.pth')
    weights.pop('network.1.bias')
    with pytest.raises(UserError, match=r'^a\.pth: .*, it lacks network\.1\.bias; '):
        check_fit(Mirrored(module=model), weights, 'a.pth')


@pytest.mark.parametrize(
    ('checkpoint', 'reason'),
    [
        ({}, r'it lacks 0\.weight, 0\.bias, 0\.running_mean and 3 more; expected the weights of this model'),
        ({'state_dict': {}, 'meta': {}}, r'it lacks 0\.weight'),
        (
            network(3).state_dict(),
            r'2 weights are others: size mismatch for 1\.weight: .*\[3, 3, 1, 1\].*\[2, 3, 1, 1\]',
        ),
        ({**network().state_dict(), 'fc.weight': torch.zeros(1)}, r'it has unknown fc\.weight; '),
        (
            {**network().state_dict(), '1.bias': 'text'},
            r'1 weights are others: While copying the parameter named "1\.bias"',
        ),
    ],
)
def test_what_does_not_fit(checkpoint: dict, reason: str) -> None:
    with pytest.raises(UserError, match=rf'^a\.pth: does not fit the model of the config, {reason}') as caught:
        check_fit(network(), checkpoint, 'a.pth')
    assert '\n' not in str(caught.value)
