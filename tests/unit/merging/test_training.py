"""What users do with a merging model: train, checkpoint, save, load, generate, in bf16 and under Trainer."""

import copy

import pytest
import torch
import transformers
from merging_models import FAMILIES, MODELS, batch, main_output, small_model, with_decoder

from tokforge.errors import ConfigError, InputError, UnknownNameError
from tokforge.merging import MergingCollator, from_pretrained, merge_subtokens


def checkpoint_activations(model):
    """Under the name that this version of transformers has for it."""
    name = "activation_checkpointing_enable"
    getattr(model, name if hasattr(model, name) else "gradient_checkpointing_enable")()


def gradients(model, inputs, *, checkpointed=False):
    model.train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    if checkpointed:
        checkpoint_activations(model)
    found = main_output(model(**with_decoder(model, inputs)))
    (found.float() ** 2).mean().backward()
    return {name: value.grad for name, value in model.named_parameters() if value.grad is not None}


@pytest.mark.parametrize("name", FAMILIES)
def test_checkpointing_gives_the_same_gradients(name):
    inputs = batch([30, 11], largest=4)
    for at_layer in (0, 1):
        made = [
            merge_subtokens(small_model(name), reducer="attention", mask="proportional", at_layer=at_layer)
            for _ in range(2)
        ]
        plain = gradients(made[0], inputs)
        again = gradients(made[1], inputs, checkpointed=True)
        assert plain.keys() == again.keys()
        assert plain["subtoken_merger.score"].abs().sum() > 0
        for key, value in plain.items():
            torch.testing.assert_close(again[key], value)


@pytest.mark.parametrize("name", FAMILIES)
def test_bfloat16_stays_bfloat16(name):
    model = merge_subtokens(small_model(name), reducer="mean+mlp", mask="proportional").bfloat16()
    found = main_output(model(**with_decoder(model, batch([30, 11], largest=4))))
    assert found.dtype == torch.bfloat16
    assert found.isfinite().all()


@pytest.mark.parametrize("reducer", ["mean", "attention", "mean+mlp"])
@pytest.mark.parametrize("name", MODELS)
def test_saved_and_loaded_it_is_the_same_model(name, reducer, tmp_path):
    model = merge_subtokens(small_model(name), reducer=reducer, at_layer=1, positions="first")
    for value in model.subtoken_merger.parameters():
        torch.nn.init.normal_(value)
    inputs = with_decoder(model, batch([30, 11], largest=4))
    expected = main_output(model(**inputs))
    model.save_pretrained(tmp_path)
    loaded = from_pretrained(tmp_path).eval()
    assert loaded.subtoken_merging == model.subtoken_merging
    torch.testing.assert_close(main_output(loaded(**inputs)), expected)
    torch.testing.assert_close(main_output(copy.deepcopy(loaded)(**inputs)), expected)


def test_a_plain_auto_model_loads_it_without_merging(tmp_path):
    plain = small_model("roberta-classifier")
    inputs = batch([30, 11])
    del inputs["segment_ids"]
    expected = plain(**inputs).logits
    merge_subtokens(plain).save_pretrained(tmp_path)
    found = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path)
    torch.testing.assert_close(found.eval()(**inputs).logits, expected)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_an_encoder_decoder_generates_as_before_where_nothing_merges(attention):
    inputs = batch([30, 11])
    plain = small_model("t5", attention)
    ids, mask = inputs["input_ids"], inputs["attention_mask"]
    for options in ({}, {"num_beams": 3}):
        expected = plain.generate(ids, attention_mask=mask, max_new_tokens=8, do_sample=False, **options)
        for at_layer in (0, 2):
            merged = merge_subtokens(small_model("t5", attention), at_layer=at_layer)
            found = merged.generate(**inputs, max_new_tokens=8, do_sample=False, **options)
            assert found.tolist() == expected.tolist()


def test_an_encoder_decoder_generates_from_fewer_rows_and_one_by_one():
    inputs = batch([30, 11], largest=4)
    model = merge_subtokens(small_model("t5"), at_layer=1)
    found = model.generate(**inputs, max_new_tokens=8, do_sample=False)
    for row, length in enumerate((30, 11)):
        alone = {name: value[row : row + 1, :length] for name, value in inputs.items()}
        single = model.generate(**alone, max_new_tokens=8, do_sample=False)[0]
        assert found[row, : len(single)].tolist() == single.tolist()


def test_a_causal_model_generates_as_before_where_nothing_merges():
    inputs = {name: value.flip(1) for name, value in batch([12, 7]).items()}  # padded at the left
    text = inputs["segment_ids"].amax(1, keepdim=True) - inputs["segment_ids"]
    inputs["segment_ids"] = torch.where(inputs["segment_ids"] < 0, -1, text)
    options = {"max_new_tokens": 6, "do_sample": False}
    expected = small_model("llama").generate(
        inputs["input_ids"], attention_mask=inputs["attention_mask"], **options
    )
    found = merge_subtokens(small_model("llama")).generate(**inputs, **options)
    assert found.tolist() == expected[:, 12:].tolist()
    with pytest.raises(ConfigError, match="key-value cache"):
        merge_subtokens(small_model("llama"), at_layer=1).generate(**inputs, **options)


def test_a_causal_loss_is_that_of_the_next_units_first_token():
    inputs = batch([9])
    inputs["segment_ids"] = torch.tensor([[0, 0, 1, 2, 2, 2, 3, 4, 4]])
    model = merge_subtokens(small_model("llama"))
    found = model(**inputs, labels=inputs["input_ids"])
    assert found.logits.shape[1] == 5
    targets = inputs["input_ids"][0, [2, 3, 6, 7]]
    torch.testing.assert_close(found.loss, torch.nn.functional.cross_entropy(found.logits[0, :4], targets))


def test_trainer_trains_and_keeps_what_it_needs(tmp_path):
    rows = []
    for seed in range(16):
        inputs = {name: value[0].tolist() for name, value in batch([12], seed=seed, largest=3).items()}
        rows.append({**inputs, "labels": seed % 3, "note": "which the model does not know"})
    model = merge_subtokens(small_model("roberta-classifier"), reducer="mean+mlp")
    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path),
        per_device_train_batch_size=4,
        max_steps=4,
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )
    trainer = transformers.Trainer(
        model=model, args=arguments, train_dataset=rows, eval_dataset=rows, data_collator=MergingCollator(1)
    )
    before = model.subtoken_merger.outer.weight.clone()
    checkpoint_activations(model)
    trainer.train()
    assert trainer.predict(rows).predictions.shape == (16, 3)
    trainer.save_model(str(tmp_path / "saved"))
    assert not torch.equal(before, model.subtoken_merger.outer.weight)
    loaded = from_pretrained(tmp_path / "saved")
    torch.testing.assert_close(loaded.subtoken_merger.outer.weight, model.subtoken_merger.outer.weight)


def test_accelerate_trains():
    accelerate = pytest.importorskip("accelerate")
    accelerator = accelerate.Accelerator(cpu=True)
    model = merge_subtokens(small_model("t5"))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model, optimizer = accelerator.prepare(model, optimizer)
    inputs = batch([12, 9], largest=3)
    labels = torch.arange(10).view(2, 5) + 5
    losses = []
    for _ in range(5):
        loss = model(**inputs, labels=labels).loss
        accelerator.backward(loss)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0]


def test_what_cannot_be_merged_is_refused_by_name(tmp_path):
    gpt2 = transformers.GPT2Model(transformers.GPT2Config(n_layer=1, n_embd=8, n_head=1, vocab_size=9))
    with pytest.raises(UnknownNameError, match="'gpt2'; use one of: bert, llama"):
        merge_subtokens(gpt2)
    with pytest.raises(UnknownNameError, match="reducer has no 'median'"):
        merge_subtokens(small_model("roberta"), reducer="median")
    with pytest.raises(ConfigError, match="the model has 3 layers; use 0 to 2"):
        merge_subtokens(small_model("t5"), at_layer=3)
    with pytest.raises(ConfigError, match="configured as a decoder"):
        merge_subtokens(small_model("roberta", is_decoder=True))
    merged = merge_subtokens(small_model("roberta"))
    with pytest.raises(ConfigError, match="merges subtokens already"):
        merge_subtokens(merged)
    inputs = batch([9])
    with pytest.raises(ConfigError, match="called without segment_ids"):
        merged(inputs["input_ids"])
    with pytest.raises(ConfigError, match="do not count the rows"):
        merged(inputs["input_ids"], segment_ids=inputs["segment_ids"] * 2)
    with pytest.raises(InputError, match=r"no config\.json"):
        from_pretrained(tmp_path)
    small_model("bert").save_pretrained(tmp_path)
    with pytest.raises(InputError, match="does not merge"):
        from_pretrained(tmp_path)


def test_units_none_is_the_model_itself():
    model = small_model("roberta")
    inputs = batch([9])
    del inputs["segment_ids"]
    expected = main_output(model(**inputs))
    same = merge_subtokens(model, units="none")
    assert same is model
    torch.testing.assert_close(main_output(same(**inputs)), expected)
