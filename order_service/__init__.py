"""Orders: what was bought, at which price, where it goes, and how far it has got."""
