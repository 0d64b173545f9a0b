"""`manage.py translations`: keeps what supporters read in step with its translations."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config import catalogues

DEEDS = {
    "update": "gather the texts from the source into every catalogue",
    "compile": "compile the catalogues, for the pages to read",
    "status": "say how far each language is, and what is wrong",
}


class Command(BaseCommand):
    """Updates, compiles or reports; needs no database and no program but this one."""

    help = "Translations: " + "; ".join(f"“{deed}”: {words}" for deed, words in DEEDS.items()) + "."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add what is to be done, and for which languages."""
        parser.add_argument("deed", choices=DEEDS)
        parser.add_argument("languages", nargs="*", metavar="language", help="such as de; all of them if left out")

    def handle(self, *_arguments: Any, deed: str, languages: list[str], **_options: Any) -> None:
        """Do it; `status` fails where something is missing, so that a script can ask."""
        if unknown := set(languages) - set(catalogues.languages()):
            raise CommandError(f"Not offered in settings.LANGUAGES: {', '.join(sorted(unknown))}")
        texts = catalogues.gathered()
        standings = []
        for language in languages or catalogues.languages():
            if deed == "update":
                catalogues.update(language, texts)
            if deed in {"update", "compile"}:
                catalogues.compile_(language)
            standings.append(catalogues.standing(language, texts))
        for each in standings:
            self.stdout.write(f"{each.language}: {each.translated} of {each.texts} texts, {len(each.faults)} faults")
            for fault in each.faults if deed == "status" else []:
                self.stdout.write(f"  {fault}")
        if deed == "status" and any(each.faults for each in standings):
            raise CommandError("Some translations are missing or wrong; CONTRIBUTING.md says what to do.")
