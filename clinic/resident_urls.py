"""Addresses of residents' pages."""

from django.urls import path

from clinic.views import merging, resident_facts, residents

urlpatterns = [
    path("residents/search", residents.resident_search, name="resident-search"),
    path("residents/register", residents.resident_register, name="resident-register"),
    path("residents/<uuid:resident>/", residents.resident, name="resident"),
    path("residents/<uuid:resident>/change", residents.resident_change, name="resident-change"),
    path("residents/<uuid:resident>/open", residents.resident_open, name="resident-open"),
    path("residents/<uuid:resident>/reveal", residents.reveal, name="reveal"),
    path("residents/<uuid:resident>/allergies", resident_facts.allergy_add, name="allergy-add"),
    path("residents/<uuid:resident>/no-allergies", resident_facts.no_allergies, name="no-allergies"),
    path("residents/<uuid:resident>/problems", resident_facts.problem_add, name="problem-add"),
    path("residents/<uuid:resident>/tags", resident_facts.tag_add, name="tag-add"),
    path("residents/<uuid:resident>/life-state", resident_facts.life_state, name="life-state"),
    path("residents/<uuid:resident>/household", resident_facts.household_set, name="household-set"),
    path("residents/<uuid:resident>/household/leave", resident_facts.household_leave, name="household-leave"),
    path("allergies/<uuid:allergy>/refute", resident_facts.allergy_refute, name="allergy-refute"),
    path("problems/<uuid:problem>/resolve", resident_facts.problem_resolve, name="problem-resolve"),
    path("tags/<uuid:tag>/end", resident_facts.tag_end, name="tag-end"),
    path("residents/<uuid:resident>/merge", merging.merge_choose, name="merge-choose"),
    path("residents/<uuid:resident>/merge/<uuid:other>", merging.merge, name="merge"),
    path("merges/<uuid:merge>/undo", merging.merge_undo, name="merge-undo"),
]
