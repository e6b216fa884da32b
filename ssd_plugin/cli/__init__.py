"""What the tools share: reading and validating configs, one-line errors, test-time augmentation."""
