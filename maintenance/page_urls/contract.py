from django.urls import path

from maintenance.views import contract

urlpatterns = [
    path("", contract.contract, name="contract"),
    path("<uuid:contract>/charge", contract.charge, name="charge-breach"),
    path("<uuid:contract>/freeze", contract.freeze, name="freeze-statement"),
    path("breaches/<uuid:breach>/", contract.breach, name="breach"),
    path("breaches/<uuid:breach>/act/<slug:act>", contract.breach_act, name="breach-act"),
    path("<uuid:contract>/statements/<str:month>/", contract.statement, name="statement"),
    path("<uuid:contract>/statements/<str:month>/sheet", contract.statement_sheet, name="statement-sheet"),
]
