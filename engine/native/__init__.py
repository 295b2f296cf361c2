"""The C library, as numpy calls: this package is the only importer of the extension.

Every function checks dtype, layout and range before a pointer is taken, and turns C's error codes
into the engine's exceptions in one place (:func:`check`). C calls run without the GIL. One module
per family of calls: `engine.native.entropy`, `.jpeg`, `.latent`, `.wavelet`.
"""

from engine.native._base import as_bytes, check, const, crc32c, ffi, lib, mutable, processor, room, use_processor

__all__ = ["as_bytes", "check", "const", "crc32c", "ffi", "lib", "mutable", "processor", "room", "use_processor"]
