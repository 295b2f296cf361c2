"""Learned codecs. torch lives below this package only, and nothing outside imports it before it is needed."""
