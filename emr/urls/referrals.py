"""Addresses of: referrals."""

from django.urls import path

from emr.views import referral_printing, referrals

urlpatterns = [
    path("visits/<uuid:encounter>/refer", referrals.refer_visit, name="refer-visit"),
    path("residents/<uuid:resident>/refer", referrals.refer_resident, name="refer-resident"),
    path("referrals", referrals.referrals, name="referrals"),
    path("referrals/<uuid:referral>", referrals.referral, name="referral"),
    path("referrals/<uuid:referral>/accept", referrals.accept, name="accept-referral"),
    path("referrals/<uuid:referral>/reject", referrals.reject, name="reject-referral"),
    path("referrals/<uuid:referral>/terminate", referrals.terminate, name="terminate-referral"),
    path("referrals/<uuid:referral>/visit", referrals.start_visit, name="start-referral"),
    path("referrals/<uuid:referral>/return", referrals.send_back, name="return-referral"),
    path("referrals/<uuid:referral>/print", referral_printing.print_referral, name="print-referral"),
    path(
        "referrals/<uuid:referral>/print-return", referral_printing.print_return, name="print-return-referral"
    ),
]
