"""The set: all maps that are open as one object, with what they take in all and the worst of them first."""
