"""What the network is, and what it answers."""
