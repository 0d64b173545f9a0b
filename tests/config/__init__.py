"""How it is put together, tested."""
