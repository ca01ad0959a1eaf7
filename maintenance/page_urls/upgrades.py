from django.urls import path

from maintenance.views import upgrades

urlpatterns = [
    path("", upgrades.upgrades, name="upgrades"),
    path("plan", upgrades.plan_upgrade, name="plan-upgrade"),
    path("<uuid:upgrade>/sites/<uuid:place>/acknowledge", upgrades.acknowledge, name="acknowledge-upgrade"),
    path("<uuid:upgrade>/sites/<uuid:place>/override", upgrades.override, name="override-upgrade"),
    path("<uuid:upgrade>/", upgrades.upgrade, name="upgrade"),
    path("<uuid:upgrade>/change", upgrades.change_upgrade, name="change-upgrade"),
    path("<uuid:upgrade>/act/<slug:act>", upgrades.upgrade_act, name="upgrade-act"),
]
