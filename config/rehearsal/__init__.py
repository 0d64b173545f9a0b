"""The rehearsal: a campaign run end to end with simulated supporters, against a mail server of this machine."""
