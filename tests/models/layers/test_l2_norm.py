import torch

from ssd_plugin.models.layers.l2_norm import L2Norm


def test_by_hand():
    norm = L2Norm(2, scale=20)
    norm.weight.data[1] = 5
    x = torch.tensor([3.0, 4.0]).reshape(1, 2, 1, 1)
    torch.testing.assert_close(norm(x).flatten(), torch.tensor([12.0, 4.0]))


def test_zero_vector_gives_zero_and_a_finite_gradient():
    norm = L2Norm(4)
    x = torch.zeros((1, 4, 2, 2), requires_grad=True)
    norm(x).sum().backward()
    assert x.grad.isfinite().all()
    # 1 / sqrt(1e-10) times the scale: the root holds the epsilon.
    torch.testing.assert_close(x.grad, torch.full_like(x, 20e5))
    assert norm.weight.grad.tolist() == [0] * 4


def test_half_precision_is_computed_in_full():
    # The squares of 300 exceed float16; the result keeps the dtype.
    x = torch.full((1, 2, 1, 1), 300.0, dtype=torch.float16)
    found = L2Norm(2).half()(x)
    assert found.dtype == torch.float16
    torch.testing.assert_close(found.flatten().float(), torch.full((2,), 20 / 2**0.5), rtol=1e-3, atol=0)
