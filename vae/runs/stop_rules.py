"""When a run has to end without its owner's word, and the sentences that say why."""

from vae.runs.limits import Limits
from vae.runs.records import RunRecord
from vae.wire.protocol import RunState


def reason_to_stop(record: RunRecord, limits: Limits, now: float, others_wait: bool) -> str:
    """Why ``record`` is to be stopped now, as a sentence; empty while it may go on."""
    if now - record.last_seen > limits.owner_grace_seconds:
        return "Nobody looked at this run any more, so it was stopped."
    if record.trained_seconds > limits.max_run_seconds:
        return f"This host trains a run for {limits.max_run_seconds:g} s at most."
    if record.state is RunState.DOWNLOADING and now - record.since > limits.max_run_seconds:
        return f"The images did not arrive within {limits.max_run_seconds:g} s."
    if record.state is RunState.PAUSED:
        return _reason_to_end_pause(record.paused_seconds(now), limits, others_wait)
    return ""


def _reason_to_end_pause(seconds: float, limits: Limits, others_wait: bool) -> str:
    if others_wait and seconds > limits.paused_seconds:
        return (
            f"It was paused for {limits.paused_seconds:g} s and others wait, so it made room; it "
            "can go on from its checkpoint."
        )
    if seconds > limits.max_paused_seconds:
        return (
            f"It was paused for {limits.max_paused_seconds:g} s, as long as this host lets a run "
            "rest; it can go on from its checkpoint."
        )
    return ""


def describe_silence(limits: Limits) -> str:
    return f"The trainer said nothing for {limits.worker_silence_seconds:g} s and was ended."


def describe_unsaved(reason: str) -> str:
    return f"Checkpoints cannot be kept ({reason}); the run goes on without them."


def judge_exit(ending: str, exit_code: int | None, log_number: str) -> tuple[RunState, str]:
    """What becomes of a run whose worker ended, and the sentence that says so.

    ``log_number``: where the server's log has what the worker said at its end; empty for nowhere.
    """
    if ending == "stopped":
        return RunState.STOPPED, "The trainer did not end by itself and was ended."
    if ending == "hung":
        return RunState.FAILED, ""
    return RunState.FAILED, _describe_exit(exit_code, log_number)


def _describe_exit(exit_code: int | None, log_number: str) -> str:
    if exit_code is not None and exit_code < 0:
        how = f"signal {-exit_code}"
        if exit_code == -9:
            how += ", often for want of memory"
    else:
        how = f"exit code {exit_code}"
    where = f" Number {log_number} in the server's log says more." if log_number else ""
    return f"The trainer ended unexpectedly ({how}).{where}"
