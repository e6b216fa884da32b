"""SSD's augmentation."""
