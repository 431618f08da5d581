"""napari: thin widgets over the rooms below, readers, writers and samples."""
