"""Sums, means and other sums with weights, of the rows that belong to one segment."""

import numpy as np


def segments(weigh):
    """Rows of data, chosen by `indices`, added up by segment and weighed by how many there are; zero where none is."""

    def reference(data, indices, segment_ids, num_segments=None):
        if len(indices) != len(segment_ids):
            raise ValueError("indices and segment ids differ in number")
        count = num_segments if num_segments is not None else int(segment_ids.max(initial=-1)) + 1
        out, n = np.zeros((count, *data.shape[1:]), data.dtype), np.zeros(count, int)
        for index, segment in zip(indices, segment_ids, strict=True):
            if not 0 <= index < len(data):
                raise ValueError("an index is out of range")
            out[segment] += data[index]
            n[segment] += 1
        return out if weigh is None else out / weigh(np.maximum(n, 1)).reshape(-1, 1).astype(out.dtype)

    return reference
