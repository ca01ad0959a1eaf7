"""The station desk: Django admin over what the ground floor keeps."""

from clinic.admin import audit, institutions, residents, staff

__all__ = ["audit", "institutions", "residents", "staff"]
