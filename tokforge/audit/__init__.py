"""What a stranger's tokenizer gives away, and with its model, which tokens that model never learnt.

Reading order: `findings` (the audit, from the tokenizer alone), `complete` (a vocabulary that lacks bytes),
`model_rows` (a checkpoint's matrices, block by block), `belonging` (are they rows of these ids),
`indicators` (numbers a row), `undertrained` (which tokens they point at).
"""

from tokforge.audit.findings import (
    LONG_CHARACTERS,
    Audit,
    AuditedToken,
    audit,
    audit_tokenizer,
    secret_kind,
)
from tokforge.audit.undertrained import IndicatedToken, UnderTrained, under_trained

__all__ = [
    "LONG_CHARACTERS",
    "Audit",
    "AuditedToken",
    "IndicatedToken",
    "UnderTrained",
    "audit",
    "audit_tokenizer",
    "secret_kind",
    "under_trained",
]
