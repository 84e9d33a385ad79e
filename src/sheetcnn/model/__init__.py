"""A network: its file, its layers in their places, its arrays with their numbers, what it costs and where its limits are."""
