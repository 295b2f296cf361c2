"""Folders of pictures × codecs × goals, on every core or on a Dask cluster, resumable after any stop.

What is to be done is a :class:`engine.batch.job.Job`, :func:`engine.batch.run.run_batch` does it. The parts:
`pictures` (what lies in the folder), `ledger` (the rows that are done, on disk), `work` (what a Dask worker runs),
`cluster` (where it runs), `run` (what runs when, and what a dead worker costs), `results` (the table, the curves, the
chart). dask is imported by `cluster` alone, and only when a batch begins.
"""
