"""Tiny models of random weights with real tokenizers, made in a folder."""

import json

import pytest

torch = pytest.importorskip("torch", reason="the extra [transplant] is not installed")
transformers = pytest.importorskip("transformers", reason="the extra [transplant] is not installed")

OLD = ["the cat sat on the mat and the dog lay on the log; naïve 12 34\n"] * 20
NEW = ["the catalogue of the cathedral and the dogma of the longest matter: 2024 naïvety\n"] * 20


@pytest.fixture(scope="session")
def texts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("texts")
    (folder / "old.txt").write_text("".join(OLD))
    (folder / "new.txt").write_text("".join(NEW))
    return folder


@pytest.fixture(scope="session")
def tokenizers_of(texts):
    """Two byte-level tokenizers that share some tokens, and special tokens with roles."""
    import tokforge

    made = {}
    for name, size in (("old", 330), ("new", 320)):
        options = {"pretokenizer": "gpt2", "special_tokens": ("<|start|>", "<|end|>"), "min_frequency": 1}
        trained = tokforge.train_bpe([str(texts / f"{name}.txt")], vocab_size=size, **options)
        trained.save(texts / f"{name}.json")
        made[name] = texts / f"{name}.json"
    return made


def save(model, folder, tokenizer, **shards):
    model.save_pretrained(folder, **shards)
    (folder / "tokenizer.json").write_bytes(tokenizer.read_bytes())
    roles = {"bos_token": "<|start|>", "eos_token": "<|end|>", "tokenizer_class": "PreTrainedTokenizerFast"}
    template = {"chat_template": "{% for m in messages %}<|start|>{{ m['content'] }}<|end|>{% endfor %}"}
    (folder / "tokenizer_config.json").write_text(json.dumps(roles | template))
    return folder


def tiny(kind, **settings):
    torch.manual_seed(0)
    sizes = {"vocab_size": 336, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 2, "max_position_embeddings": 64, "bos_token_id": 0, "eos_token_id": 1}
    config = getattr(transformers, f"{kind}Config")(**{**sizes, **heads, **settings})
    name = {"Llama": "LlamaForCausalLM", "Bert": "BertForMaskedLM", "Phi": "PhiForCausalLM"}[kind]
    model = getattr(transformers, name)(config)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, 0.01, 0.2)
    return model


@pytest.fixture
def llama(tmp_path, tokenizers_of):
    """A tied Llama with padded rows."""
    return save(tiny("Llama", tie_word_embeddings=True), tmp_path / "llama", tokenizers_of["old"])


@pytest.fixture
def untied(tmp_path, tokenizers_of):
    """An untied Llama in bfloat16, in several shards."""
    model = tiny("Llama", tie_word_embeddings=False).to(torch.bfloat16)
    return save(model, tmp_path / "untied", tokenizers_of["old"], max_shard_size="12KB")


@pytest.fixture
def biased(tmp_path, tokenizers_of):
    """An untied model whose head has a bias."""
    return save(tiny("Phi"), tmp_path / "phi", tokenizers_of["old"])


@pytest.fixture
def bert(tmp_path, tokenizers_of):
    """A masked model: tied, with a bias."""
    return save(tiny("Bert"), tmp_path / "bert", tokenizers_of["old"])
