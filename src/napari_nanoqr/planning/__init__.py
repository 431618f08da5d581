"""What can be told beforehand: which symbol, milled how, will be read."""
