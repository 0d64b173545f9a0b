"""A table of letters and a way to send one, for the peers that are queues of jobs and have neither."""
