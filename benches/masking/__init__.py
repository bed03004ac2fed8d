"""Chinese text, vocabularies, masks and encoders: the figures of docs/masking.md."""
