from django.urls import path

from maintenance.views import things

urlpatterns = [
    path("", things.equipment, name="equipment"),
    path("sheet", things.equipment_sheet, name="equipment-sheet"),
    path("<uuid:thing>/", things.thing, name="thing"),
]
