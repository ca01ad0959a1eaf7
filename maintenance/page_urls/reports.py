from django.urls import path

from maintenance.views import meetings, weekly

urlpatterns = [
    path("weekly/", weekly.weekly, name="weekly"),
    path("weekly/make", weekly.make, name="make-weekly-report"),
    path("weekly/<str:monday>/", weekly.report, name="weekly-report"),
    path("weekly/<str:monday>/write", weekly.write, name="write-weekly-report"),
    path("weekly/<str:monday>/sign", weekly.sign, name="sign-weekly-report"),
    path("meetings/", meetings.meetings, name="meetings"),
    path("meetings/items/<uuid:item>/end", meetings.end_item, name="end-action-item"),
    path("meetings/<uuid:meeting>/", meetings.meeting, name="meeting"),
    path("meetings/<uuid:meeting>/act/<slug:act>", meetings.meeting_act, name="meeting-act"),
]
