"""Weights of other SSD implementations, turned into ours.

A converted network reads RGB pixels minus (123, 117, 104), as our configs do, holds the background as its last class
and predicts on the published default boxes; on the same image it gives the numbers that its source gave. Turning the
colour channels, moving the background and changing the size of a default box are exact. Two things cannot be folded
into the weights, and ``ConvertedWeights.config_line`` states them for the config: another mean (mmdet's, and that of
torchvision's SSDLite), because convolutions pad with zeros, and other centres of default boxes (amdegroot's and
lufficc's SSD300), because a convolution does not know its place.

Flow: ``convert.read_state_dict`` or ``caffemodel.read_caffemodel`` -> ``convert.detect_source`` -> one file per source
(renames) -> ``assembly`` (conventions) -> ``partial`` when the classes change.
"""
