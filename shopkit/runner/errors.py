"""What the runner can't do, in one sentence that says what to do about it."""


class RunnerError(Exception):
    """Ends the command with its sentence and a non-zero exit."""
