"""Addresses of: after_visit."""

urlpatterns = []
