"""Exceptions of the finite-element part; every message is one sentence a user can act on."""


class SwellboundError(Exception):
    """Base of every error that Swellbound raises on purpose."""


class MeshError(SwellboundError):
    """A mesh or its sidecar is missing, damaged or does not fit the model."""


class ParameterError(SwellboundError):
    """A material, interface or drive parameter is not allowed.

    Args:
        key: Dotted name of the parameter, as a user writes it.
        value: What was given.
        allowed: What would have been accepted.
    """

    def __init__(self, key: str, value: object, allowed: str):
        self.key, self.value, self.allowed = key, value, allowed
        super().__init__(f"{key} = {value!r} is not allowed: it must be {allowed}.")


class StepFailed(SwellboundError):
    """One time step could not be accepted; the caller rolls back and retries with a smaller one."""


class SolverError(SwellboundError):
    """A linear solver is used out of turn: before it has a matrix, or after that was taken from it."""


class RunStopped(SwellboundError):
    """The run cannot go on: steps of the smallest allowed size keep failing."""


class Interrupted(SwellboundError):
    """A side calculation is left before its end, because whoever asked for it wants to; nothing of it remains."""


class OutputError(SwellboundError):
    """A result file could not be written; what was there before is untouched."""


class CheckpointError(SwellboundError):
    """A checkpoint cannot be written, or is damaged, of another version or of another mesh."""
