"""Items to and from files, as CSV or as JSON lines: a line at a time, however many there are."""
