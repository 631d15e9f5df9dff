"""What a snapshot keeps of a view's state, and how it comes back. The C side is worker/py/snapshot_value.c."""
