"""Which of several wordings a letter gets: drawn once from its seed, then the same for ever."""

import hashlib


class Draw:
    """Chooses wordings from a seed. Two draws with one seed choose alike, on every machine and in every year.

    A choice depends on the seed, the passage and the variant's ordinal in it, and on nothing else: editing
    the closing never changes what was drawn for the body.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def choose(self, passage: str, ordinal: int, branches: int) -> int:
        """The branch, 0 to `branches` - 1, of variant `ordinal` (from 0) of a passage; uniform over seeds."""
        # The passage comes last, so that no passage name can imitate another seed or ordinal.
        key = f"{self.seed}\n{ordinal}\n{passage}".encode("utf-8", "surrogatepass")
        return int.from_bytes(hashlib.sha256(key).digest(), "big") % branches


class FixedDraw(Draw):
    """Chooses one branch everywhere, the last where there are fewer: for reading every wording."""

    def __init__(self, branch: int) -> None:
        super().__init__(branch)
        self.branch = branch

    def choose(self, passage: str, ordinal: int, branches: int) -> int:  # noqa: ARG002 - as Draw has it
        """The fixed branch, or the last."""
        return min(self.branch, branches - 1)
