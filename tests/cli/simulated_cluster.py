"""A Ray cluster of simulated nodes in a process of its own: `python simulated_cluster.py NODES` does what lines say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

QUICK = {"worker_niceness": 0, "health_check_period_ms": 1000, "health_check_failure_threshold": 10}
"""Cells get the CPU like everybody else, and that a node is gone is noticed in ten seconds."""

STORE = 80_000_000
"""Bytes of a head's object store: nearly the least that Ray takes."""


class SimulatedCluster:
    """The other side of such a process.

    Args:
        nodes: how many, each of one cpu.
        env: of its daemons.
    """

    def __init__(self, nodes: int, env: dict[str, str]) -> None:
        command = [sys.executable, "-W", "ignore", str(Path(__file__)), str(nodes)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
        self.address = self._answer()

    def owns(self, process: int) -> bool:
        """Returns whether a process is one of this cluster's: below it."""
        while process > 1 and process != self._process.pid:
            try:
                process = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
            except OSError:  # it ended meanwhile
                return False
        return process > 1

    def add(self, cpus: int) -> None:
        """Adds a node, which is the first to be removed."""
        self._ask(f"add {cpus}")

    def remove(self) -> None:
        """Removes a node that is not the head, as a crash would."""
        self._ask("remove")

    def fill(self) -> None:
        """Fills the object store of the head with what cannot be moved out of it."""
        self._ask("fill")

    def close(self) -> None:
        """Ends it."""
        self._process.communicate(timeout=120)

    def _ask(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        self._answer()

    def _answer(self) -> str:
        assert self._process.stdout
        for line in self._process.stdout:  # Ray may print, too
            word, _, rest = line.strip().partition(" ")
            if word == "answer":
                return rest.strip()
        raise AssertionError("the simulated cluster ended")


def main(nodes: int) -> None:
    import numpy
    import ray
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": STORE, "_system_config": QUICK}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    others = [cluster.add_node(num_cpus=1) for _ in range(nodes - 1)]
    print("answer", cluster.address, flush=True)  # noqa: T201 (the protocol)
    held = []
    for line in sys.stdin:
        word, _, rest = line.partition(" ")
        if word == "add":
            others.append(cluster.add_node(num_cpus=int(rest)))
        elif word.strip() == "fill":
            ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
            held += [ray.get(ray.put(numpy.zeros(10_000_000, numpy.uint8))) for _ in range(STORE // 10_000_000)]
        else:
            cluster.remove_node(others.pop(), allow_graceful=False)
        print("answer", flush=True)  # noqa: T201
    ray.shutdown()
    cluster.shutdown()


if __name__ == "__main__":
    main(int(sys.argv[1]))
