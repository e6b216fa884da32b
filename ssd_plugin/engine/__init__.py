"""What the training loop needs: mixed precision, hooks, safe checkpoints."""
