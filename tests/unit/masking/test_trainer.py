"""The callback: the schedule follows the Trainer's steps, and a resumed run masks as an uninterrupted one."""

import json

import numpy as np
import pytest

from tokforge.errors import ConfigError
from tokforge.masking import Constant, Linear, MaskingCallback, WholeWordMaskingCollator
from tokforge.masking.trainer import STATE_NAME

pytestmark = pytest.mark.filterwarnings("ignore")  # transformers and accelerate warn of their own affairs


class Recording(WholeWordMaskingCollator):
    """Remembers what was masked, training and evaluation apart."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.batches = {False: [], True: []}

    def __call__(self, features):
        batch = super().__call__(features)
        self.batches[self.evaluating].append(np.asarray(batch["labels"]))
        return batch


def trainer_of(byte_level, features, folder, *, schedule, steps, evaluate=None, accumulate=1):
    from transformers import BertConfig, BertForMaskedLM, Trainer, TrainingArguments, set_seed

    set_seed(0)
    size = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8}
    collator = Recording(byte_level, mask_probability=schedule, evaluation_probability=0.5)
    arguments = TrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=2,
        gradient_accumulation_steps=accumulate,
        save_steps=3,
        eval_strategy="steps" if evaluate else "no",
        eval_steps=evaluate,
        remove_unused_columns=False,
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
    )
    trainer = Trainer(
        model=BertForMaskedLM(BertConfig(vocab_size=len(byte_level), **size)),
        args=arguments,
        train_dataset=features,
        eval_dataset=features if evaluate else None,
        data_collator=collator,
        callbacks=[MaskingCallback(collator)],
    )
    return trainer, collator


@pytest.fixture
def features(byte_level, texts, feature):
    return [feature(byte_level, text * 3, example_index=at) for at, text in enumerate(texts * 2)]


def shares(batches):
    return [round(float((labels != -100).mean()), 2) for labels in batches]


def test_a_resumed_run_masks_as_one_that_was_not_interrupted(byte_level, features, tmp_path):
    schedule = Linear(0.1, 0.8, 8)
    whole, expected = trainer_of(byte_level, features, tmp_path / "whole", schedule=schedule, steps=8)
    whole.train()
    checkpoint = tmp_path / "whole" / "checkpoint-3"
    state = json.loads((checkpoint / "trainer_state.json").read_text())["stateful_callbacks"][STATE_NAME]
    assert state["schedule"] == {"schedule": "linear", "start": 0.1, "end": 0.8, "total_steps": 8}
    resumed, found = trainer_of(byte_level, features, tmp_path / "whole", schedule=schedule, steps=8)
    resumed.train(resume_from_checkpoint=str(checkpoint))
    for one, other in zip(expected.batches[False][3:8], found.batches[False][:5], strict=True):
        assert (one == other).all()
    assert whole.state.log_history[-1]["step"] == resumed.state.log_history[-1]["step"] == 8


def test_evaluation_neither_moves_the_schedule_nor_follows_it(byte_level, features, tmp_path):
    schedule = Linear(0.1, 0.8, 6)
    plain, expected = trainer_of(byte_level, features, tmp_path / "a", schedule=schedule, steps=6)
    plain.train()
    judged, found = trainer_of(byte_level, features, tmp_path / "b", schedule=schedule, steps=6, evaluate=2)
    judged.train()
    for one, other in zip(expected.batches[False], found.batches[False], strict=True):
        assert (one == other).all()
    assert len(found.batches[True]) >= 2
    assert shares(found.batches[True][:1]) == shares(found.batches[True][2:3])


def test_batches_of_one_accumulated_step_share_its_rate(byte_level, features, tmp_path):
    trainer, collator = trainer_of(
        byte_level, [features[0]] * 8, tmp_path, schedule=Linear(0.1, 0.9, 2), steps=2, accumulate=2
    )
    trainer.train()
    first, second, third, _ = shares(collator.batches[False])
    assert first == second < third


def test_resuming_under_another_schedule_is_refused(byte_level, features, tmp_path):
    trainer, _ = trainer_of(byte_level, features, tmp_path, schedule=Linear(0.1, 0.8, 6), steps=3)
    trainer.train()
    other, _ = trainer_of(byte_level, features, tmp_path, schedule=Linear(0.1, 0.5, 6), steps=6)
    with pytest.raises(ConfigError, match="was masked with schedule"):
        other.train(resume_from_checkpoint=str(tmp_path / "checkpoint-3"))


def test_a_checkpoint_that_was_moved_is_compared_as_well(byte_level, features, tmp_path):
    trainer, _ = trainer_of(byte_level, features, tmp_path, schedule=Linear(0.1, 0.8, 6), steps=3)
    trainer.train()
    moved = (tmp_path / "checkpoint-3").rename(tmp_path / "kept")
    other, _ = trainer_of(byte_level, features, tmp_path / "new", schedule=Linear(0.1, 0.5, 6), steps=6)
    with pytest.raises(ConfigError, match="was masked with schedule"):
        other.train(resume_from_checkpoint=str(moved))


def stream_of(features):
    from torch.utils.data import IterableDataset

    class Stream(IterableDataset):
        def __iter__(self):
            return iter(features)

    return Stream()


def test_each_pass_over_a_stream_masks_other_words(byte_level, features, tmp_path):
    trainer, collator = trainer_of(
        byte_level, stream_of(features), tmp_path, schedule=Constant(0.3), steps=2 * len(features) // 2
    )
    trainer.train()
    batches = collator.batches[False]
    first, second = batches[: len(features) // 2], batches[len(features) // 2 :]
    assert all((one != other).any() for one, other in zip(first, second, strict=True))


def test_a_stream_resumes_as_one_that_was_not_interrupted(byte_level, features, tmp_path):
    options = {"schedule": Linear(0.1, 0.8, 5), "steps": 5}
    whole, expected = trainer_of(byte_level, stream_of(features), tmp_path, **options)
    whole.train()
    resumed, found = trainer_of(byte_level, stream_of(features), tmp_path, **options)
    resumed.train(resume_from_checkpoint=str(tmp_path / "checkpoint-3"))
    for one, other in zip(expected.batches[False][-2:], found.batches[False][-2:], strict=True):
        assert (one == other).all()


def test_evaluation_outside_of_training_has_its_own_rate(byte_level, features, tmp_path):
    trainer, collator = trainer_of(
        byte_level, features, tmp_path, schedule=Constant(0.1), steps=2, evaluate=2
    )
    trainer.evaluate()
    trainer.train()
    trainer.evaluate()
    trainer.evaluate()
    assert len(collator.batches[True]) == 4 * -(-len(features) // 8)
    assert set(shares(collator.batches[False])) <= {0.08, 0.09, 0.1, 0.11}


def test_a_plain_loop_resumes_from_the_collators_state(byte_level, features):
    schedule = Linear(0.1, 0.8, 10)
    whole = WholeWordMaskingCollator(byte_level, mask_probability=schedule)
    whole.set_epoch(2, step=4, batches_a_step=2)
    expected = [whole(features)["labels"] for _ in range(3)]
    state = json.loads(json.dumps(whole.state_dict()))
    again = WholeWordMaskingCollator(byte_level, mask_probability=schedule)
    again.load_state_dict(state)
    assert all((again(features)["labels"] == one).all() for one in expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"segmenter_version": "rjieba 0.0.1"}, "masked with segmenter_version rjieba 0.0.1"),
        ({"seed": 1}, "masked with seed 1"),
        ({"config": None}, "masked with config None"),
    ],
)
def test_a_state_made_under_other_options_is_refused(byte_level, change, message):
    collator = WholeWordMaskingCollator(byte_level)
    with pytest.raises(ConfigError, match=message):
        collator.load_state_dict(collator.state_dict() | change)


def test_a_state_that_lacks_a_field_is_refused(byte_level):
    collator = WholeWordMaskingCollator(byte_level)
    with pytest.raises(ConfigError, match="lacks batches_a_step, schedule, seed"):
        collator.load_state_dict(
            {"epoch": 1, "step": 2, "config": {}, "segmenter": 1, "segmenter_version": 1}
        )


@pytest.mark.parametrize(("split", "expected"), [(False, 6), (True, 3)])
def test_a_process_that_collates_for_all_counts_their_batches_as_one_step(
    byte_level, features, split, expected
):
    """As accelerate's main process does with a stream, unless it cuts each batch into shares."""
    from types import SimpleNamespace

    from accelerate.data_loader import DataLoaderDispatcher

    collator = WholeWordMaskingCollator(byte_level)
    loader = DataLoaderDispatcher(stream_of(features), split_batches=split)
    arguments = SimpleNamespace(gradient_accumulation_steps=3, world_size=2)
    state = SimpleNamespace(global_step=0, stateful_callbacks={})
    MaskingCallback(collator).on_epoch_begin(arguments, state, None, train_dataloader=loader)
    assert collator.clock.batches_a_step == expected
