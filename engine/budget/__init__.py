"""A set of pictures that must fit a budget: which codec, settings and resolution each of them should get."""
