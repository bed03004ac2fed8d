"""Documents that come block by block, encoded in bounded memory; the ids are those of the whole."""

from tokforge.tokenizer.streaming.blocks import Stretch, can_stream, encode_stream

__all__ = ["Stretch", "can_stream", "encode_stream"]
