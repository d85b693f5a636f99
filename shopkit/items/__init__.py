"""The items kernel: an item service declares an `ItemKind` and its own fields; everything it does is here, once."""
