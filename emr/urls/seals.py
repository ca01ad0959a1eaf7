"""The address of a visit's seals."""

from django.urls import path

from emr.views import seals

urlpatterns = [path("visits/<uuid:encounter>/seal", seals.seals, name="seals")]
