"""Training by PyTorch of a network that can be drawn. The only folder, beside `frameworks`, that knows PyTorch."""
