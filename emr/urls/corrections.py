"""Addresses of: corrections."""

urlpatterns = []
