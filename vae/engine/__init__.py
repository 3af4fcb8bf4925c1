"""What computes with tensors: models, likelihoods, training, checkpoints."""
