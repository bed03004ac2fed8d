"""How other libraries spell a tokenizer. Only this folder knows spellings; tokens are bytes elsewhere."""
