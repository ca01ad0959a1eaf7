from django.urls import path

from maintenance.views import emergencies

urlpatterns = [
    path("", emergencies.emergency, name="emergency"),
    path("pads", emergencies.print_pad, name="print-pad"),
    path("pads/<int:first>", emergencies.paper_pad, name="paper-pad"),
    path("kits/passphrase", emergencies.set_passphrase, name="set-kit-passphrase"),
    path("kits/<str:day>", emergencies.kit, name="offline-kit"),
    path("waiting-list", emergencies.paper_list, name="paper-waiting-list"),
]
