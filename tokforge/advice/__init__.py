"""How large a vocabulary: `advise_vocab` measures, `save_chart` draws what it found."""

from tokforge.advice.advising import Advice, AdviseConfig, SizeFigures, advise_vocab, tao_vocab_sizes
from tokforge.advice.chart import save_chart

__all__ = ["Advice", "AdviseConfig", "SizeFigures", "advise_vocab", "save_chart", "tao_vocab_sizes"]
