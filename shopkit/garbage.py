"""Python's collector of garbage, as it should be in a process that lives long."""

import gc

AFTER = 10_000  # new objects until the youngest are looked through; Python's own 700 is less than one request makes


def settle() -> None:
    """Once all is loaded: what there is lives as long as the process, so nobody needs to look through it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(AFTER)
