"""Addresses of the day, the chart, reviews and printing."""

from django.urls import path

from emr.views import chart, day, draft, nurse, printing, review, sign, terms, visit

urlpatterns = [
    path("", day.home, name="home"),
    path("waiting", day.waiting, name="waiting"),
    path("visits/<uuid:encounter>/", chart.chart, name="chart"),
    path("visits/<uuid:encounter>/previous", chart.previous, name="previous"),
    path("visits/<uuid:encounter>/save", draft.save, name="save-draft"),
    path("visits/<uuid:encounter>/check", sign.check, name="check-note"),
    path("visits/<uuid:encounter>/sign", sign.sign, name="sign"),
    path("visits/<uuid:encounter>/start", visit.start, name="start"),
    path("visits/<uuid:encounter>/hold", visit.hold, name="hold"),
    path("visits/<uuid:encounter>/resume", visit.resume, name="resume"),
    path("visits/<uuid:encounter>/cancel", visit.cancel, name="cancel-visit"),
    path("visits/<uuid:encounter>/vitals", nurse.vitals, name="vitals"),
    path("visits/<uuid:encounter>/allergies", nurse.allergy, name="visit-allergy"),
    path("residents/<uuid:resident>/visit", visit.start_for, name="start-for"),
    path("residents/<uuid:resident>/check-in", visit.check_in, name="check-in"),
    path("reviews", review.reviews, name="reviews"),
    path("reviews/<uuid:note>", review.review, name="review"),
    path("visits/<uuid:encounter>/print", printing.print_note, name="print-note"),
    path("terms/search", terms.terms, name="terms"),
]
