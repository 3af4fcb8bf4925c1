"""Errors that a learner reads."""


class DataUnavailable(Exception):
    """Images are missing or unreadable. The message says what to do and stands on its own."""


class CheckpointError(Exception):
    """A file that cannot be written, or is not a checkpoint that this version reads."""


class DeviceUnavailable(ValueError):
    """The device asked for is not on this machine."""
