"""What micrographs of a sheet look like: quick enough for whole sheets."""
