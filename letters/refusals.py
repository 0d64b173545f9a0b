"""Why a letter is not kept, sent or confirmed: each with a code and a sentence fit for people. Nothing is lost."""

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from letters.models import Letter


class LetterRefused(ValueError):
    """What was written cannot be kept or sent like this: a sentence for each field. Nothing is lost."""

    code = "letter_refused"

    def __init__(self, errors: Mapping[str, str]) -> None:
        self.errors = dict(errors)
        self.sentence = " ".join(self.errors.values())
        super().__init__(self.sentence)


class CampaignClosed(Exception):
    """The campaign does not take letters (any more)."""

    code = "campaign_closed"
    sentence = gettext_lazy("This campaign does not take letters at the moment.")


class AlreadyWritten(Exception):
    """This address has already sent its letter for this ask."""

    code = "already_written"
    sentence = gettext_lazy("You have already sent this letter.")

    def __init__(self, letter: Letter) -> None:
        self.letter = letter
        super().__init__(self.sentence)


class NobodyReachable(Exception):
    """None of the people a letter is for has a working address at the moment. Nothing is lost: it stays as it is."""

    code = "nobody_reachable"

    def __init__(self) -> None:
        self.sentence = _("We cannot deliver letters right now. Your letter is kept: please try again later.")
        super().__init__(self.sentence)
