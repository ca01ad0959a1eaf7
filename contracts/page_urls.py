"""Pages of family-doctor signing."""

from django.urls import path

from contracts.views import (
    agreement,
    due,
    evidence,
    figures,
    home_visits,
    household,
    printing,
    reminders,
    sign,
    team,
)

urlpatterns = [
    path("signing/team", team.my_team, name="my-team"),
    path("signing/due", due.due, name="due"),
    path("signing/due/<uuid:plan>", due.serve, name="serve"),
    path("signing/confirm", evidence.confirm, name="confirm"),
    path("signing/confirm/decide", evidence.decide, name="decide-evidence"),
    path("signing/evidence/<uuid:evidence>/withdraw", evidence.withdraw, name="withdraw-evidence"),
    path("signing/not-served", due.not_served, name="not-served"),
    path("residents/<uuid:resident>/home-visit", home_visits.home_visit, name="home-visit"),
    path("signing/figures", figures.figures, name="signing-figures"),
    path("signing/figures.xlsx", figures.figures_sheet, name="signing-figures-sheet"),
    path("signing/reminders", reminders.reminders, name="signing-reminders"),
    path("signing/reminders/<uuid:reminder>", reminders.reminder_called, name="signing-reminder"),
    path("residents/<uuid:resident>/not-signed", reminders.not_signed, name="not-signed"),
    path("residents/<uuid:resident>/sign", sign.sign, name="sign-resident"),
    path("residents/<uuid:resident>/sign-household", household.sign_household, name="sign-household"),
    path("agreements/<uuid:agreement>/", agreement.agreement, name="agreement"),
    path("agreements/<uuid:agreement>/sign", sign.sign_agreement, name="sign-agreement"),
    path("agreements/<uuid:agreement>/print", printing.print_agreement, name="agreement-print"),
    path("agreements/sitting/<uuid:sitting>/print", printing.print_sitting, name="agreement-print-sitting"),
    path("agreements/signature/<uuid:signature>", agreement.signature_picture, name="signature-picture"),
    path("agreements/<uuid:agreement>/act/<slug:act>", agreement.agreement_act, name="agreement-act"),
]
