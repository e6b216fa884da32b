"""The data path: what SSD needs between mmdet's data sets and its loader."""
