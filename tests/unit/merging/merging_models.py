"""Small models of every family with random weights, and random batches for them."""

import torch
import transformers

torch.set_num_threads(1)  # these models are too small to share out
VOCAB = 64
SMALL = {
    "vocab_size": VOCAB,
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "pad_token_id": 1,
    "bos_token_id": 0,
    "eos_token_id": 2,
}
BERT = {**SMALL, "max_position_embeddings": 80, "num_labels": 3}
T5 = {
    "vocab_size": VOCAB,
    "d_model": 32,
    "d_kv": 8,
    "d_ff": 48,
    "dropout_rate": 0.0,
    "num_layers": 3,
    "num_heads": 4,
    "pad_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 1,
    "relative_attention_num_buckets": 8,
    "relative_attention_max_distance": 20,
    "num_labels": 3,
}
MODERN = {
    **SMALL,
    "max_position_embeddings": 80,
    "local_attention": 8,
    "cls_token_id": 0,
    "sep_token_id": 2,
    "num_labels": 3,
}
LLAMA = {**SMALL, "num_key_value_heads": 2, "max_position_embeddings": 80, "num_labels": 3}

MODELS = {
    "roberta": ("RobertaModel", "RobertaConfig", BERT),
    "roberta-classifier": ("RobertaForSequenceClassification", "RobertaConfig", BERT),
    "roberta-lm": ("RobertaForMaskedLM", "RobertaConfig", BERT),
    "bert": ("BertModel", "BertConfig", BERT),
    "bert-tokens": ("BertForTokenClassification", "BertConfig", BERT),
    "xlm-roberta": ("XLMRobertaModel", "XLMRobertaConfig", BERT),
    "modernbert": ("ModernBertModel", "ModernBertConfig", MODERN),
    "modernbert-classifier": (
        "ModernBertForSequenceClassification",
        "ModernBertConfig",
        {**MODERN, "classifier_pooling": "mean"},
    ),
    "t5": ("T5ForConditionalGeneration", "T5Config", T5),
    "t5-encoder": ("T5EncoderModel", "T5Config", {**T5, "is_encoder_decoder": False}),
    "t5-classifier": ("T5ForSequenceClassification", "T5Config", T5),
    "llama": ("LlamaForCausalLM", "LlamaConfig", LLAMA),
    "llama-classifier": ("LlamaForSequenceClassification", "LlamaConfig", LLAMA),
}
"""Name -> class, its configuration class and options."""

FAMILIES = ("roberta", "bert", "xlm-roberta", "modernbert", "t5", "t5-encoder", "llama")


def small_model(name, attention="sdpa", **changes):
    """Returns one of `MODELS`, the same at every call, ready for inference."""
    torch.manual_seed(0)
    model_class, config_class, options = MODELS[name]
    config = getattr(transformers, config_class)(**{**options, **changes}, attn_implementation=attention)
    return getattr(transformers, model_class)(config).eval()


def batch(lengths, *, seed=0, largest=1):
    """Returns inputs of these lengths, padded at the right; units have 1 to ``largest`` tokens."""
    draw = torch.Generator().manual_seed(seed)
    rows, longest = len(lengths), max(lengths)
    ids = torch.full((rows, longest), SMALL["pad_token_id"])
    mask, segments = torch.zeros(rows, longest, dtype=torch.long), torch.full((rows, longest), -1)
    for row, length in enumerate(lengths):
        ids[row, :length] = torch.randint(5, VOCAB, (length,), generator=draw)
        ids[row, length - 1] = SMALL["eos_token_id"]
        mask[row, :length] = 1
        sizes = torch.randint(1, largest + 1, (length,), generator=draw)
        segments[row, :length] = torch.repeat_interleave(torch.arange(length), sizes)[:length]
    return {"input_ids": ids, "attention_mask": mask, "segment_ids": segments}


def with_decoder(model, inputs):
    """Adds what an encoder-decoder's forward needs."""
    if "ForConditionalGeneration" not in type(model).__name__:
        return inputs
    return {**inputs, "decoder_input_ids": torch.arange(6).expand(len(inputs["input_ids"]), -1) + 5}


def main_output(found):
    """The tensor that a caller looks at."""
    return found.logits if hasattr(found, "logits") else found.last_hidden_state
