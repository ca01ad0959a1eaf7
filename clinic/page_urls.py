"""Addresses of the ground floor's own pages."""

from django.urls import include, path

from clinic.views import account, notices, session

urlpatterns = [
    path("notices", notices.notices, name="page-notices"),
    path("sign-in", session.sign_in, name="sign-in"),
    path("sign-in/again", session.sign_in_again, name="sign-in-again"),
    path("sign-out", session.sign_out, name="sign-out"),
    path("account/password", account.change_password, name="change-password"),
    path("account/second-factor", account.second_factor, name="second-factor"),
    path("account/second-factor/new", account.set_up_factor, name="set-up-factor"),
    path("", include("clinic.resident_urls")),
]
