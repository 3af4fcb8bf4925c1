"""The machine's cores, and how threads on them wait; no torch here."""

import os


def core_count() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def prepare_threads() -> None:
    """Set how OpenMP waits. Call it before torch is first imported in the process.

    Waiting threads spin for microseconds only and then sleep: threads that spin on beside any
    other busy process fall to a hundredth of their speed, and threads that sleep at once gain
    nothing from a second core.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
