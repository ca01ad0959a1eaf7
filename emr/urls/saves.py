"""Addresses of: saves."""

urlpatterns = []
