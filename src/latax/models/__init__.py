"""Model families: how the blocks compose, one file per family, with the objectives that train it."""
