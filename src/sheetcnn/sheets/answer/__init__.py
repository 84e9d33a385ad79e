"""What the network answers, beside the pixels and on the Overview."""
