"""What several steps of training bring: the loss and the gradients by step, and a kernel as a film."""
