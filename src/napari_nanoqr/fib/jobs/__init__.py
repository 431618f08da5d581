"""Jobs of many symbols: from a list of payloads to pattern files and stage positions."""
