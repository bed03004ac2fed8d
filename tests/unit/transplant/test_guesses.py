"""Guesses by strings, against transformers' own generation and loss."""

import json

import numpy as np
import pytest

from tokforge.errors import FormatError, InputError
from tokforge.transplant.evaluate import (
    Causal,
    Question,
    Window,
    ask,
    evaluate,
    questions_of,
    read_questions,
)

torch = pytest.importorskip("torch", reason="the extra [transplant] is not installed")

WINDOWS = [
    Window("a", f"number {n} of the windows holds some words that nobody else has {n} cut he")
    for n in range(6)
]


def bits_of(model, ids):
    tensor = torch.tensor([[0, *ids]])
    with torch.inference_mode():
        return model(tensor, labels=tensor).loss.item() * len(ids) / np.log(2)


def test_questions_hold_the_window_and_leave_a_word_that_was_cut():
    asked = questions_of(WINDOWS)
    clozes = [one for one in asked if len(one.choices) == 1]
    choices = [one for one in asked if len(one.choices) == 4]
    assert len(clozes) == len(choices) == len(WINDOWS)
    for window, cloze, choice in zip(WINDOWS, clozes, choices, strict=True):
        assert (cloze.context + cloze.choices[0]) == window.text.removesuffix(" he")
        assert cloze.choices[0] == " cut"
        assert window.text.startswith(choice.context + choice.choices[choice.answer])
        assert sum(window.text.startswith(choice.context + text) for text in choice.choices) == 1
    assert asked == questions_of(WINDOWS)
    assert not questions_of([Window("a", "word"), Window("a", " "), Window("a", "")])


def test_a_choice_is_the_one_of_fewest_bits_per_byte(llama):
    causal = Causal.open(llama)
    asked = [one for one in questions_of(WINDOWS) if len(one.choices) > 1]
    for one, guess in zip(asked, ask(causal, asked), strict=True):
        spell = causal.vocabulary.encode
        before = bits_of(causal.model, spell(one.context))
        bits = [bits_of(causal.model, spell(one.context + text)) - before for text in one.choices]
        assert guess.bits == pytest.approx(bits[one.answer], rel=1e-3)
        per_byte = [b / len(text.encode()) for b, text in zip(bits, one.choices, strict=True)]
        assert guess.right == (int(np.argmin(per_byte)) == one.answer)


def test_what_greedy_decoding_says_is_guessed_and_nothing_else(llama):
    """On contexts where the tokenizer spells what is said as it was said: a random model says anything."""
    causal, spelled_again = Causal.open(llama), 0
    for context in (
        "the",
        "the cat",
        "the dog lay",
        "the mat",
        "a log",
        "12",
        "x",
        "34 cat",
        "on",
        "sat the",
    ):
        ids = causal.vocabulary.encode(context)
        prompt = torch.tensor([[0, *ids]])
        with torch.inference_mode():
            said = causal.model.generate(prompt, max_new_tokens=1, do_sample=False)[0, 1:].tolist()
        text = causal.vocabulary.decode(said)
        if causal.vocabulary.encode(text) != said or not text.startswith(context):
            continue
        spelled_again += 1
        asked = [Question("", context, (text.removeprefix(context),)), Question("", context, (" zebra",))]
        assert [guess.right for guess in ask(causal, asked)] == [True, False]
    assert spelled_again >= 2


def test_questions_of_a_file(tmp_path, llama, texts):
    rows = [
        {"context": "the", "choices": [" cat", " dog"], "answer": 1},
        {"context": "the", "continuation": " cat"},
    ]
    path = tmp_path / "questions.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert [(one.choices, one.answer) for one in read_questions(path)] == [
        ((" cat", " dog"), 1),
        ((" cat",), 0),
    ]
    sizes = {"window": 40, "windows": 4, "device": "cpu", "questions": str(path)}
    found = evaluate(llama, [str(texts / "old.txt")], against=llama, guess=True, **sizes).as_dict()["guesses"]
    assert found["choice"]["against"]["difference"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert found["cloze"]["by_chance"] == 0 and 0.25 <= found["choice"]["by_chance"] <= 0.5


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        "[]",
        '{"context": "a"}',
        '{"context": "a", "choices": ["b", "c"]}',
        '{"context": "a", "choices": ["b", ""], "answer": 0}',
        '{"context": "a", "choices": ["b", "c"], "answer": 2}',
        '{"context": "a", "choices": ["b", "c"], "answer": true}',
        '{"context": 1, "continuation": "c"}',
        '{"context": "a", "choices": 3, "answer": 0}',
    ],
)
def test_what_is_no_question_is_refused_with_its_line(line, tmp_path):
    path = tmp_path / "questions.jsonl"
    path.write_text('{"context": "a", "continuation": "b"}\n' + line + "\n")
    with pytest.raises(FormatError) as caught:
        read_questions(path)
    assert "questions.jsonl:2" in str(caught.value)


def test_a_file_of_no_questions_is_refused(tmp_path):
    (tmp_path / "empty").write_text("\n")
    for path in (tmp_path / "empty", tmp_path / "none", tmp_path):
        with pytest.raises(InputError):
            read_questions(path)
