"""One process at a time: the only door to locks. A run, a checkpoint, a pack and a claimed name each have one."""

from bench.locks.door import LOCK, Hold, held
from bench.locks.owner import alive

__all__ = ["LOCK", "Hold", "alive", "held"]
