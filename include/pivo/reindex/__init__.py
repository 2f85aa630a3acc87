"""The index from the archive: gaps that Kafka left are filled, and the whole of it is made anew at will."""
