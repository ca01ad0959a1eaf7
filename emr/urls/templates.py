"""Addresses of: templates."""

urlpatterns = []
