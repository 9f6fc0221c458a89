"""What a user did that cannot be done, in one sentence; and the exit codes of the command line."""

from __future__ import annotations

EXIT_OK = 0
EXIT_FAILURE = 1
EXIT_BAD_INPUT = 2
EXIT_STOPPED = 3
#: Interrupted, and saved: ``swellbound resume`` goes on.
EXIT_RESUME = 4


class InputError(Exception):
    """Bad input, found before any meshing.

    Args:
        key: Dotted name of the key, as written in the case file, or the option of the command line.
        problem: What its value is, what is allowed, what to do; completes the sentence ``KEY …``.
    """

    def __init__(self, key: str, problem: str) -> None:
        self.key, self.problem = key, problem
        super().__init__(f"{key} {problem}" if problem.endswith(("?", ".")) else f"{key} {problem}.")


class ResultsError(Exception):
    """A run folder that cannot be written or read, in one sentence."""
