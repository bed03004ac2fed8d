"""A tokenizer in a notebook: facts and coloured tokens, nothing of it run."""

from tokforge.tokenizer.notebook import segmentation_html


def test_facts_and_tokens(text):
    shown = text._repr_html_()
    assert "<td>vocabulary</td><td>264</td>" in shown
    assert "&lt;|start|&gt;" in shown
    assert "<|start|>" not in shown


def test_tokens_are_escaped_and_carry_their_ids(text):
    shown = segmentation_html(text, "hello<b>\u202e")
    ids = text.encode("hello<b>\u202e").tolist()
    assert [f'title="id {i}"' in shown for i in ids] == [True] * len(ids)
    assert "&lt;" in shown
    assert "<b>" not in shown
    assert "\u202e" not in shown
