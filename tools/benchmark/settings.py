"""What one run of the benchmark measures with."""

from dataclasses import dataclass

from .timing import Budget


@dataclass(frozen=True)
class Settings:
    """How thoroughly, and where.

    Attributes:
        device: 'cpu' or 'cuda'.
        quick: Few rounds, small batches and the small networks: a look, not a result.
    """

    device: str = 'cpu'
    quick: bool = False

    def budget(self) -> Budget:
        """Choose how many rounds one comparison takes."""
        if self.quick:
            return Budget(rounds=2)
        return Budget(rounds=5, seconds=10, warmups=3 if self.device == 'cuda' else 1)
