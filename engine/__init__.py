"""The workbench without a window: pictures, codecs, metrics, rate control, trials.

Importing this package loads neither torch, nor Qt, nor any optional codec library.
"""

__version__ = "0.1.0"
