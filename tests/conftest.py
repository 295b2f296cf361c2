"""What holds for every test."""

from hypothesis import settings

# Time limits for single examples fail on busy machines and say nothing about the code; pytest-timeout bounds each test.
settings.register_profile("ratescope", deadline=None)
settings.load_profile("ratescope")
