"""Time ratio of doubled adversarial input: `families` (the input), `work` (what is done to it), `table`."""
