"""What guest_customer does by itself: forgets the guests whose time is up."""

from guest_customer import services
from shopkit.sweeper import Sweep

SWEEPS = (Sweep(services.forget_expired, every=60),)
