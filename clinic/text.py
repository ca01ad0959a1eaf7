"""What text the database can keep."""


def is_storable(value: str) -> bool:
    """Whether PostgreSQL can keep the text: no NUL, no lone surrogate."""
    if "\x00" in value:
        return False
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def find_unstorable(value, path="") -> str | None:
    """The path of the first text in parsed JSON that cannot be kept, keys included, else None."""
    if isinstance(value, str):
        return None if is_storable(value) else path or "."
    if isinstance(value, dict):
        children = [
            (f"{path}.{key}" if is_storable(key) else path, [key, child]) for key, child in value.items()
        ]
        return next(
            (bad for where, pair in children for part in pair if (bad := find_unstorable(part, where))), None
        )
    if isinstance(value, list):
        return next(
            (bad for i, child in enumerate(value) if (bad := find_unstorable(child, f"{path}[{i}]"))), None
        )
    return None
