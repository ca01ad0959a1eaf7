from django.urls import path

from maintenance.views import reporting, ticket, tickets

urlpatterns = [
    path("", tickets.tickets, name="tickets"),
    path("board", tickets.board, name="board"),
    path("report", reporting.report, name="report-problem"),
    path("intake", reporting.intake, name="ticket-intake"),
    path("filters", tickets.keep_filter, name="keep-ticket-filter"),
    path("filters/<uuid:filter>/drop", tickets.drop_filter, name="drop-ticket-filter"),
    path("pictures/<uuid:picture>", ticket.picture, name="ticket-picture"),
    path("<uuid:ticket>/", ticket.ticket, name="ticket"),
    path("<uuid:ticket>/act/<slug:act>", ticket.ticket_act, name="ticket-act"),
]
