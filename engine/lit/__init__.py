"""A lightmap as the game will show it: what the card holds of it, filtered, on a surface of some albedo, in some tone;
flat or on a mesh; and the error measured there. For the eye and for errors of what the eye gets, in `docs/lit.md`.
"""
