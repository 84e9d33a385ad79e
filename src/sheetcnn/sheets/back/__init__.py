"""The gradients of a layer, and what they make of its parameters."""
