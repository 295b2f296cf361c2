"""Textures as game engines hold them: texel formats, the files that carry them (DDS, KTX2), and packed light."""
