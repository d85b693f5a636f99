"""VIPs: profiles and addresses, tiers, points, and the benefits of a tier."""
