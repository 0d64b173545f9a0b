"""The postbox: a mail server on this machine that keeps what it receives, in place of the outside world."""
