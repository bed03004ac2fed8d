"""Does the vocabulary help a model? Bytes against 4K, 16K and 64K tokens, at equal bytes and equal FLOPs."""
