"""What a caller asked us to keep: files, uploads, batches, responses, conversations."""
