"""Lightmaps measured as a set: every codec of light at equal quality on every map, gutters left out."""
