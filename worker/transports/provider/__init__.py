"""Mail providers that take letters by an API of their own."""

from worker.transports.provider.api import Account
from worker.transports.provider.line import ProviderLine, api_of, connected

__all__ = ["Account", "ProviderLine", "api_of", "connected"]
