"""Sessions: what is open, and how it is looked at, kept in a file and brought back."""
