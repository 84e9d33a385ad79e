"""How far an edit reaches."""
