"""Addresses of templates, and of an earlier visit's text to copy."""

from django.urls import path

from emr.views import templates

urlpatterns = [
    path("templates", templates.templates, name="templates"),
    path("templates/new", templates.new, name="template-new"),
    path("templates/search", templates.search, name="template-search"),
    path("templates/<uuid:template>", templates.template, name="template"),
    path("templates/<uuid:template>/content", templates.content, name="template-content"),
    path("templates/<uuid:template>/switch", templates.switch, name="template-switch"),
    path("visits/<uuid:encounter>/template", templates.from_note, name="note-template"),
    path("visits/<uuid:encounter>/earlier/<uuid:earlier>", templates.earlier, name="earlier-text"),
]
