"""Checkpoints that others trained: models as CompressAI has them (J. Bégaint et al., arXiv 2011.03029), as our codecs.

Nothing of CompressAI is needed or copied: the networks are built anew from the papers and the shapes of the
checkpoints, and streams are our own. docs/compressai.md tells what holds and what does not.
"""
