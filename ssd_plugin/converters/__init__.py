"""Weights of other SSD implementations, turned into ours.

A converted network reads RGB pixels minus (123, 117, 104), as our configs do, holds the background as its last class
and predicts on the published default boxes; on the same photograph it gives the numbers that its source gave. Turning
the colour channels, moving the background and changing the size of a default box are exact. Another mean is not: it
cannot be folded into a convolution that pads with zeros. Weights trained with another mean (mmdet's) therefore keep
their preprocessing, which ``ConvertedWeights.data_preprocessor`` states for the config.

Flow: ``convert.read_state_dict`` or ``caffemodel.read_caffemodel`` -> ``convert.detect_source`` -> one file per source
(renames) -> ``assembly`` (conventions) -> ``partial`` when the classes change.
"""
