"""What a transformer of Hugging Face does with a plan; the modules behind need torch.

Reading order: `packing` (the plan as tensors), `reducers`, `families` (where each architecture is entered),
`merged_pass` (one forward pass), `merged` (the model), `collator`.
"""
