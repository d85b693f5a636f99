"""Recommendations: what customers like the caller bought, what is like an item, and what sells, in that order."""
