"""Addresses of what is left to do after a visit, of standing history and of the cost of writing."""

from django.urls import path

from emr.views import after_visit, standing, writing_cost

urlpatterns = [
    path("residents/<uuid:resident>/standing", standing.save, name="standing-save"),
    path("residents/<uuid:resident>/standing/confirm", standing.confirm, name="standing-confirm"),
    path("after-visit", after_visit.after_visit, name="after-visit"),
    path("after-visit/done", after_visit.closed, name="after-visit-done"),
    path("after-visit/<uuid:item>", after_visit.item, name="after-visit-item"),
    path("after-visit/<uuid:item>/print", after_visit.print_item, name="after-visit-print"),
    path("writing-cost", writing_cost.writing_cost, name="writing-cost"),
]
