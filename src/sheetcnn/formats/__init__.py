"""Files of models of all kinds: what is read, what is exported first, and what only their own program can export."""
