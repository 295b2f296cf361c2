"""Only what pyproject.toml cannot say: the C extension is described by csrc/build.py."""

from setuptools import setup

setup(cffi_modules=["csrc/build.py:ffi"])
