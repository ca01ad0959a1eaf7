"""Addresses of corrections, versions and requests for leave."""

from django.urls import path

from emr.views import change_requests, corrections, versions

urlpatterns = [
    path("visits/<uuid:encounter>/corrections", corrections.begin, name="correct-note"),
    path("visits/<uuid:encounter>/versions", versions.versions, name="versions"),
    path("visits/<uuid:encounter>/change-requests", change_requests.ask, name="ask-leave"),
    path("corrections/<uuid:correction>/", corrections.correction, name="correction"),
    path("corrections/<uuid:correction>/save", corrections.save, name="save-correction"),
    path("corrections/<uuid:correction>/check", corrections.check, name="check-correction"),
    path("corrections/<uuid:correction>/sign", corrections.sign, name="sign-correction"),
    path("corrections/<uuid:correction>/void", corrections.make_void, name="void-note"),
    path("corrections/<uuid:correction>/withdraw", corrections.withdraw, name="withdraw-correction"),
    path("change-requests", change_requests.own, name="change-requests"),
    path("change-requests/<uuid:change_request>/withdraw", change_requests.withdraw, name="withdraw-request"),
]
