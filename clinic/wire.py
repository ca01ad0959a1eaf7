"""Who is asking: a person's browser page, or a script."""


def wants_json(request) -> bool:
    """Whether the caller is a script of ours or another system rather than a browser's page."""
    return request.content_type == "application/json" or "application/json" in request.headers.get(
        "Accept", ""
    )
