from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ContractsConfig(AppConfig):
    name = "contracts"
    verbose_name = _("Family-doctor agreements")

    def ready(self):
        self._pages()
        self._desk()
        self._panels()
        self._jobs()
        self._audiences()
        self._demo()

    def _pages(self):
        """What doctors and nurses find in the page header."""

    def _desk(self):
        """What the desk does first."""

    def _panels(self):
        """The team on the resident's page and in the banner."""

    def _jobs(self):
        """What recurs, and what ``manage.py verify`` adds up."""

    def _audiences(self):
        """Whom messages about agreements go to."""

    def _demo(self):
        """The demo district's teams and agreements."""
