"""Who gets which capacity at what price, first refusal included."""
