"""audit_tokenizer: findings on a vocabulary that was made to hold them."""

import pytest

from tokforge.audit import audit_tokenizer, secret_kind
from tokforge.tokenizer import Pipeline


def spelled(*strings):
    """All beginnings of ``strings``, so that each can be merged."""
    return dict.fromkeys(string[:end].encode() for string in strings for end in range(2, len(string) + 1))


def test_findings(trained):
    line, rule, key = "The quick brown fox jumps over", "-" * 40, "AKIA" + "Q7" * 8
    tokenizer = trained(
        *spelled(line, rule, key), "é".encode(), "é€".encode()[:3], pipeline=Pipeline("binary")
    )
    found = audit_tokenizer("theirs", tokenizer, {"same": tokenizer, "other": trained(b"zz")})
    assert [one.relation for one in found.lineage] == ["same merges", "none"]
    assert found.tokens["verbatim"][0].text == line.replace(" ", "␣")
    assert rule not in [one.text for one in found.tokens["verbatim"]]
    assert {one.kind for one in found.tokens["secrets"]} == {"AWS access key"}
    assert key in [one.text for one in found.tokens["secrets"]]
    assert found.counts["partial_utf8"] == 1
    assert found.counts["unreachable"] == len(found.tokens["unreachable"])


def test_a_plain_vocabulary_has_nothing(trained):
    found = audit_tokenizer("t", trained(b"th", b"the"))
    assert (set(found.counts.values()), found.lineage) == ({0}, ())


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        (b"-----BEGIN RSA PRIVATE KEY", "private key"),
        (b"ghp_" + b"a1" * 12, "GitHub token"),
        (b"someone@example.org", "e-mail address"),
        (b"https://example.org/", "web address"),
        (b"123e4567-e89b-12d3-a456-426614174000", "UUID"),
        (b"0123456789abcdef0123456789abcdef", "digest"),
        (b" the", None),
        (b"00000000000000000000000000000000", None),
        (b"skeleton_implementation", None),
        (b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", None),
    ],
)
def test_secret_kinds(token, kind):
    assert secret_kind(token) == kind
