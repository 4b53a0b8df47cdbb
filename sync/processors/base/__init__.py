"""The contract of a processor, and what all processors are built from."""
