"""What each part of the training recipe is for: the recipe beside itself without one part."""
