"""Addresses of sealed copies and of copies for the patient."""

from django.urls import path

from emr.views import copies, papers, sealing

urlpatterns = [
    path("residents/<uuid:resident>/papers", papers.papers, name="papers"),
    path("residents/<uuid:resident>/papers/seal", sealing.choose, name="seal-choose"),
    path("residents/<uuid:resident>/papers/seal/confirm", sealing.seal, name="seal-copy"),
    path("residents/<uuid:resident>/papers/copy", copies.issue, name="issue-copy"),
    path("sealed-copies/<uuid:sealed>/", sealing.sealed_copy, name="sealed-copy"),
    path("sealed-copies/<uuid:sealed>/certificate", sealing.certificate, name="sealed-certificate"),
    path("sealed-copies/<uuid:sealed>/file", sealing.file, name="sealed-file"),
    path("sealed-copies/<uuid:sealed>/unseal", sealing.unseal, name="unseal"),
    path("copies/<uuid:copy>/", copies.copy, name="copy-issue"),
    path("copies/<uuid:copy>/print", copies.print_copy, name="copy-print"),
    path("copies/<uuid:copy>/file", copies.file, name="copy-file"),
]
