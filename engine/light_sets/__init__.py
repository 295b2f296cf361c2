"""The maps of baked light: which of them belong together, what a folder of them takes, and writing them back."""
