"""The small trained weights in checkpoints/ and their cards."""
