"""Addresses of: referrals."""

urlpatterns = []
