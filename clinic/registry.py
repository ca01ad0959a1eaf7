"""Where apps offer what others show, so that imports run one way. Filled in AppConfig.ready()."""

from dataclasses import dataclass


@dataclass(frozen=True)
class NavigationItem:
    """A line of the page header: the address's name, its label, and who sees it."""

    url_name: str
    label: str
    permissions: tuple[str, ...]
    roles: frozenset = frozenset()


navigation: list[NavigationItem] = []
