"""What cart_service does by itself: forgets the carts that nobody came back to."""

from cart_service import services
from shopkit.sweeper import Sweep

SWEEPS = (Sweep(services.forget_idle, every=3600),)
