"""A small lightmap baker: simple surfaces, sun, sky and lamps, light that bounces, charts packed into an atlas.

`python -m engine.bake OUT.exr` bakes the bundled `room_lightmap.exr`. It is here so that lightmaps of known truth can
be made at will; it is no renderer to compete with any.
"""
