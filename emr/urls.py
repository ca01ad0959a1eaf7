"""Addresses of the doctors' pages."""

urlpatterns = []
