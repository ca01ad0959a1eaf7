"""What a test is worth."""


def score(questions, given: dict) -> int:
    """Of 100, rounded down. ``questions``: rows; ``given``: {public id of a question: positions chosen}. A question counts when all
    its right answers and no others are chosen."""
    rows = list(questions)
    if not rows:
        return 100
    right = sum(set(given.get(str(row.uuid), ())) == set(row.right) for row in rows)
    return right * 100 // len(rows)
