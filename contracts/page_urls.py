"""Pages of family-doctor signing."""

from django.urls import path

from contracts.views import figures

urlpatterns = [
    path("signing/figures", figures.figures, name="signing-figures"),
    path("signing/figures.xlsx", figures.figures_sheet, name="signing-figures-sheet"),
]
