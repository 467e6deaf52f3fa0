"""A page of one file that shows spikes: packed in Python, unpacked and drawn in the browser, without a library."""
