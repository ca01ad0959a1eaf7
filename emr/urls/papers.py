"""Addresses of: papers."""

urlpatterns = []
