from ssd_plugin.cli.environment import cpu_flags, cpu_name, describe

CPUINFO = """processor\t: 0
model name\t: Some CPU @ 2.00GHz
flags\t\t: fpu avx2 avx512f avx512_bf16

processor\t: 1
model name\t: Some CPU @ 2.00GHz
flags\t\t: fpu avx2 avx512f avx512_bf16
"""


def test_cpu_of_linux():
    assert cpu_name(CPUINFO) == 'Some CPU @ 2.00GHz, 2 cores'
    assert cpu_flags(CPUINFO) == 'avx2 avx512f avx512_bf16'


def test_cpu_of_other_systems():
    assert isinstance(cpu_name(''), str)
    assert cpu_flags('') == 'unknown'
    assert cpu_flags('flags : fpu') == 'none'


def test_everything_is_told():
    found = describe('cpu')
    assert 'GPU' not in found
    assert 'torch 2.' in found['versions']
    assert found["mmcv's ops, on which mmdet's suppression runs"] in ('compiled', 'replaced by ours in torch')
