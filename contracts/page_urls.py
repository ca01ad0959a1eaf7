"""Pages of family-doctor signing."""

urlpatterns: list = []
