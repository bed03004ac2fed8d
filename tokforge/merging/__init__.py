"""Subtoken merging for code models: one row for each name, fewer rows for the model (arXiv 2507.14423).

Reading order: `units` (what may be merged), `grammars` and the providers, `align`, `plan` (which tokens
become one row), then `models` (what a transformer does with it), `flops` and `saving`
(what it saves).
"""

from typing import TYPE_CHECKING

from tokforge.lazy import lazy_names

if TYPE_CHECKING:
    from tokforge.merging.config import MergeConfig
    from tokforge.merging.flops import count_flops, encoder_flops
    from tokforge.merging.models.collator import MergingCollator
    from tokforge.merging.models.merged import from_pretrained, merge_subtokens
    from tokforge.merging.models.packing import Packing
    from tokforge.merging.plan import MergePlan, PlanCounts, batch_plans, plan_for
    from tokforge.merging.saving import Estimate, estimate
    from tokforge.merging.units import Kind, SpanProvider, Units

__all__ = [
    "Estimate",
    "Kind",
    "MergeConfig",
    "MergePlan",
    "MergingCollator",
    "Packing",
    "PlanCounts",
    "SpanProvider",
    "Units",
    "batch_plans",
    "count_flops",
    "encoder_flops",
    "estimate",
    "from_pretrained",
    "merge_subtokens",
    "plan_for",
]

_HOMES = {
    "Estimate": "saving",
    "Kind": "units",
    "MergeConfig": "config",
    "MergePlan": "plan",
    "MergingCollator": "models.collator",
    "Packing": "models.packing",
    "PlanCounts": "plan",
    "SpanProvider": "units",
    "Units": "units",
    "batch_plans": "plan",
    "count_flops": "flops",
    "encoder_flops": "flops",
    "estimate": "saving",
    "from_pretrained": "models.merged",
    "merge_subtokens": "models.merged",
    "plan_for": "plan",
}

__getattr__ = lazy_names(__name__, _HOMES)
