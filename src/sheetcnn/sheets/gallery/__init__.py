"""All maps as thumbnails."""
