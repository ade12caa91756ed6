"""One file per format; each has `read(path, request) -> Samples` and is registered in `latax.data.reading`."""
