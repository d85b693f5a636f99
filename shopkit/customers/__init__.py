"""The customers kernel: what guests, registered customers and VIPs have in common."""
