import pytest
import tokenizers
from tokenizers import decoders, models, pre_tokenizers, trainers

TEXTS = [
    "今天天气很好，我们去公园散步。",
    "機器學習需要大量資料，香港嘅天氣好熱。",
    "The weather is nice today, we walk in the park. 中文English混排。",
    "emoji 👩‍👩‍👧 and full-width ＡＢＣ１２３！",
    "def snake_case(x_1): return x_1 >= 2",
]
PHRASES = ["今天天气", "天气很好", "我们去", "the weather is", " in the park"] * 9
SPECIALS = ["[PAD]", "[CLS]", "[SEP]", "[MASK]"]


def fast(backend):
    from transformers import PreTrainedTokenizerFast

    named = {"pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
    return PreTrainedTokenizerFast(tokenizer_object=backend, **named)


def trained(size, *, pre_tokenizer, texts=TEXTS):
    backend = tokenizers.Tokenizer(models.BPE())
    backend.pre_tokenizer, backend.decoder = pre_tokenizer, decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=SPECIALS, initial_alphabet=alphabet, show_progress=False
    )
    backend.train_from_iterator(texts, trainer)
    return fast(backend)


@pytest.fixture(scope="session")
def byte_level():
    """Nearly every character is several byte tokens; spaces stand in front of words."""
    return trained(330, pre_tokenizer=pre_tokenizers.ByteLevel(add_prefix_space=False))


@pytest.fixture(scope="session")
def superwords():
    """Tokens span words and marks: nothing splits the text before the merges."""
    return trained(
        400, pre_tokenizer=pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False), texts=PHRASES
    )


@pytest.fixture(scope="session")
def characters():
    """A token for each character, as BERT has for Chinese: offsets without gaps."""
    known = sorted(set("".join(TEXTS)))
    backend = tokenizers.Tokenizer(
        models.WordLevel({token: at for at, token in enumerate([*SPECIALS, *known])})
    )
    backend.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    return fast(backend)


@pytest.fixture(scope="session")
def texts():
    return TEXTS


@pytest.fixture(scope="session")
def feature():
    def encoded(tokenizer, text, **more):
        made = tokenizer(text, return_offsets_mapping=True, add_special_tokens=False)
        cls, sep = tokenizer.cls_token_id, tokenizer.sep_token_id
        return {
            "input_ids": [cls, *made["input_ids"], sep],
            "offset_mapping": [(0, 0), *made["offset_mapping"], (0, 0)],
            "text": text,
            **more,
        }

    return encoded
