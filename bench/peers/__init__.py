"""Others who send mail from a queue, each at its best settings, in a virtual environment of their own."""
