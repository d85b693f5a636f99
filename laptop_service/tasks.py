"""What the service does by itself."""

from shopkit.items.tasks import SWEEPS

__all__ = ["SWEEPS"]
