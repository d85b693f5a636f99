"""The combined catalogue: what items there are, as their services last said; a read model that can be made anew."""
