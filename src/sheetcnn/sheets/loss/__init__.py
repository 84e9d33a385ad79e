"""The loss: the right answer, how far the network is from it, and what a step brings."""
