"""Let the random numbers of a training loop follow from the seed and the place in the run, in whichever process."""

import random
from collections.abc import Iterator
from itertools import chain, count, islice, repeat
from typing import Any

import numpy as np
import torch
from mmengine.dataset import InfiniteSampler
from mmengine.dist import get_dist_info
from mmengine.runner import IterBasedTrainLoop
from torch.utils.data import Dataset

Place = tuple[int, int, int]


def seed_states(seed: int, iteration: int, slot: int) -> None:
    """Set the random states of Python, numpy and torch in this process.

    Args:
        seed: Of the run.
        iteration: Number of the iteration in the run.
        slot: 0 for the iteration itself, and from 1 on for the samples of its batch, counted over all processes.
    """
    state = np.random.SeedSequence((seed, iteration, slot)).generate_state(4)
    random.seed(state.tobytes())
    np.random.seed(state)
    # torch.manual_seed does the same in 275 microseconds instead of 3: it takes down the stack for later.
    torch.default_generator.manual_seed(int(state[0]))
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.manual_seed_all(int(state[0]))


class SeededDataset(Dataset[Any]):
    """A data set of which each sample is drawn from random states of its own; in all else the one inside."""

    def __init__(self, dataset: Any) -> None:
        vars(self)['dataset'] = dataset

    def __getattr__(self, name: str) -> Any:
        # Not what is special to Python: pickle asks before there is anything inside.
        if name.startswith('__'):
            raise AttributeError(name)
        return getattr(self.dataset, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.dataset, name, value)

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, item: tuple[int, Place]) -> Any:
        index, place = item
        seed_states(*place)
        return self.dataset[index]


class SeededBatches:
    """The batches of a loop from its iteration on, every index with its place in the run."""

    def __init__(self, batches: Any, loop: Any, seed: int, skipped: int) -> None:
        self._batches = batches
        self._loop = loop
        self._seed = seed
        self._skipped = skipped

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batches, name)

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[list[tuple[int, Place]]]:
        skipped, self._skipped = self._skipped, 0
        rank, ranks = get_dist_info()
        batches = self._endless() if isinstance(self._loop, IterBasedTrainLoop) else self._batches
        for iteration, batch in enumerate(islice(batches, skipped, None), self._loop.iter):
            yield [(index, (self._seed, iteration, 1 + rank + i * ranks)) for i, index in enumerate(batch)]

    def _endless(self) -> Iterator[list[int]]:
        for epoch in count():
            self._batches.sampler.set_epoch(epoch)
            yield from self._batches


def seed_loader(loop: Any, seed: int, skipped: int) -> None:
    """Put a training loop's loader at the loop's place in the run, and seed every sample by its own place.

    Args:
        loop: Of a runner, about to begin or resumed. ``IterBasedTrainLoop`` no longer loads all that it passes over.
        seed: Of the run.
        skipped: Batches that are done: of the epoch, or in all where there are no epochs.
    """
    loader = loop.dataloader
    sampler = loader.batch_sampler.sampler
    # Both were built before the checkpoint was read, with a seed that may be another one. IterBasedTrainLoop has drawn
    # from them already, and its workers know the loader as it was.
    sampler.seed = seed
    if isinstance(sampler, InfiniteSampler):
        sampler.indices = sampler._indices_of_rank()
    loop.dataloader_iterator = loader._iterator = None
    # The loader refuses assignment, because of iterators that might be under way.
    vars(loader).update(
        dataset=SeededDataset(loader.dataset),
        batch_sampler=SeededBatches(loader.batch_sampler, loop, seed, skipped),
    )
    if isinstance(loop, IterBasedTrainLoop):
        # It goes through the batches that are done once more.
        loop.dataloader_iterator = chain(repeat(None, loop.iter), iter(loader))
