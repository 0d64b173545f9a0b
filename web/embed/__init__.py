"""The form on a partner's page."""
