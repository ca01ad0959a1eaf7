from django.urls import path

from maintenance.views import training

urlpatterns = [
    path("training/", training.training, name="training"),
    path("training/lacking", training.matrix, name="training-matrix"),
    path("training/lacking/sheet", training.matrix_sheet, name="training-matrix-sheet"),
    path("training/sessions/<uuid:session>/", training.session, name="training-session"),
    path("training/certificates/<str:number>/", training.certificate, name="certificate"),
    path("training/<slug:code>/", training.course, name="course"),
    path("help/<slug:page>", training.page_help, name="page-help"),
]
