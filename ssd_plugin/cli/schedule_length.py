"""Let the schedules of a config follow the length of its run."""

from typing import Any

from mmengine.config import Config

from ssd_plugin.errors import UserError


def follow_length(config: Config, planned: Config) -> str:
    """Fit the schedules to the number of epochs, or iterations, of the run.

    ``T_max`` (CosineAnnealingLR) and ``total_steps`` (OneCycleLR) become what the run has left after ``begin``, unless
    an ``end`` within the run says otherwise. An ``end`` at the planned end of the run moves with it, and milestones
    (MultiStepLR) keep their share of the planned length. Schedules that the command line sets itself, and those that
    count in another unit than the loop, stay.

    Args:
        config: A whole config, with what the command line changes; edited in place.
        planned: The same file without these changes.

    Returns:
        What changed, in one line; empty if nothing did.

    Raises:
        UserError: A schedule would begin, or a milestone lie, at the end of the run or behind it.
    """
    loop = config.train_cfg
    unit = 'max_epochs' if 'max_epochs' in loop else 'max_iters'
    length = loop.get(unit)
    schedulers = config.get('param_scheduler') or []
    schedulers = [schedulers] if 'type' in schedulers else schedulers
    set_by_hand = config.get('param_scheduler') != planned.get('param_scheduler')
    before = length if set_by_hand else (planned.get('train_cfg') or {}).get(unit) or length
    changes = []
    for i, scheduler in enumerate(schedulers if isinstance(schedulers, list) else []):
        if length is None or scheduler.get('by_epoch', True) != (unit == 'max_epochs'):
            continue
        place, limit = f'param_scheduler[{i}]', f'train_cfg.{unit}={length}'
        if not set_by_hand:
            for key, value in _followed(scheduler, length, before).items():
                changes.append(f'{place}.{key} {scheduler[key]} -> {value}')
                scheduler[key] = value
        if scheduler.get('begin', 0) >= length:
            raise UserError(f'{place}.begin: {scheduler.begin}, expected less than {limit}: set either')
        late = [milestone for milestone in scheduler.get('milestones', []) if milestone >= length]
        if late and before == length:
            raise UserError(
                f'{place}.milestones: {scheduler.milestones}, expected all below {limit}: set both '
                '(config_edits.trained_for does)'
            )
    return f'The schedules follow train_cfg.{unit}={length}: {", ".join(changes)}' if changes else ''


def _followed(scheduler: dict[str, Any], length: int, before: int) -> dict[str, Any]:
    """Give the settings of a schedule that change with the length."""
    begin, end = scheduler.get('begin', 0), scheduler.get('end')
    found: dict[str, Any] = {}
    if end == before:
        found['end'] = length
    for key in ('T_max', 'total_steps'):
        steps = scheduler.get(key)
        if steps and (end is None or end > length or begin + steps == before):
            found[key] = length - begin
    if 'milestones' in scheduler:
        found['milestones'] = [max(1, round(one * length / before)) for one in scheduler['milestones']]
    return {key: value for key, value in found.items() if scheduler[key] != value}
