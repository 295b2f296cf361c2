"""Batches from the window: what to do is asked in a dialog, done by a process of its own, and shown as it comes."""
