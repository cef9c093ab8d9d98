"""How text becomes a model: corpus, tokenizer, pre-training, dialogues, export, card."""
