"""Pages of family-doctor signing."""

from django.urls import path

from contracts.views import figures, reminders

urlpatterns = [
    path("signing/figures", figures.figures, name="signing-figures"),
    path("signing/figures.xlsx", figures.figures_sheet, name="signing-figures-sheet"),
    path("signing/reminders", reminders.reminders, name="signing-reminders"),
    path("signing/reminders/<uuid:reminder>", reminders.reminder_called, name="signing-reminder"),
]
