"""Who does the tasks: threads of this program, processes beside it, or the workers of a cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Protocol

PROCESSES = "processes"
"""What `scheduler` says for processes on this machine."""

AHEAD = 2
"""Graphs that are handed out for each worker: one that it reads and one that waits for it."""


class Workers(Protocol):
    """Those who do the tasks."""

    def start(self, graph: Any, done: Callable[[Any], None]) -> Any:
        """Begin a graph; ``done(future)`` is called from any thread when it ends."""

    @property
    def capacity(self) -> int:
        """Graphs that should be on their way, at least 1."""


class _Threads:
    """Threads of this program: the loops over pixels and codewords let each other run."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.pool = ThreadPoolExecutor(count, thread_name_prefix="nanoqr-archive")

    @property
    def capacity(self) -> int:
        return AHEAD * self.count

    def start(self, graph: Any, done: Callable[[Any], None]) -> Future[Any]:
        future = self.pool.submit(graph.compute, scheduler="synchronous")
        future.add_done_callback(done)
        return future


class _Cluster:
    """Workers of dask.distributed; tasks of one that dies are given to another."""

    def __init__(self, client: Any) -> None:
        self.client = client

    @property
    def capacity(self) -> int:
        threads: dict[str, int] = self.client.nthreads()
        return AHEAD * max(sum(threads.values()), 1)

    def start(self, graph: Any, done: Callable[[Any], None]) -> Any:
        future = self.client.compute(graph, retries=2)
        future.add_done_callback(done)
        return future


@contextmanager
def open_workers(scheduler: str | None = None, jobs: int | None = None) -> Iterator[Workers]:
    """Give those who do the tasks, and let them go afterwards.

    Parameters
    ----------
    scheduler : str, optional
        Address of a running dask.distributed scheduler such as ``tcp://10.0.0.5:8786``, or
        ``"processes"`` for processes on this machine; by default threads of this program.
    jobs : int, optional
        Threads or processes; by default as many as there are cores.

    Yields
    ------
    Workers
        For `napari_nanoqr.archive.collect.collect_images`.

    Raises
    ------
    ValueError
        Where the number or the address cannot be, or nobody answers there.
    """
    if jobs is not None and jobs < 1:
        raise ValueError(f"{jobs} jobs cannot be: use 1 or more.")
    count = jobs or os.cpu_count() or 1
    if scheduler is None:
        workers = _Threads(count)
        try:
            yield workers
        finally:
            workers.pool.shutdown(wait=True, cancel_futures=True)
        return
    import distributed

    open_client: Any = distributed.Client
    open_cluster: Any = distributed.LocalCluster
    if scheduler == PROCESSES:
        with (
            open_cluster(n_workers=count, threads_per_worker=1, dashboard_address=None) as cluster,
            open_client(cluster) as client,
        ):
            yield _Cluster(client)
    else:
        try:
            client = open_client(scheduler, timeout="10s")
        except (OSError, ValueError, TypeError) as problem:
            raise ValueError(
                f"No dask scheduler answers at {scheduler}: give its address as it prints it, "
                "tcp://HOST:PORT."
            ) from problem
        with client:
            yield _Cluster(client)
