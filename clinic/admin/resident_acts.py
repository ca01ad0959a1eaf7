"""What a clerk does to a resident besides filling in the form: reveal, merge and undo."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import refusals
from clinic.actions import residents as actions
from clinic.comparing import pairs
from clinic.errors import Refused
from clinic.models import ResidentMerge

REVEALED = {"id_number", "phone", "contact_phone"}


class ResidentActs:
    """Mixed into ResidentAdmin."""

    def act_urls(self):
        def page(address, view, name):
            return path(address, self.admin_site.admin_view(view), name=f"clinic_resident_{name}")

        return [
            page("<uuid:uuid>/reveal/<str:field>/", self.reveal, "reveal"),
            page("merge/<uuid:survivor>/<uuid:absorbed>/", self.merge, "merge"),
            page("merge/<uuid:uuid>/undo/", self.unmerge, "unmerge"),
        ]

    def reveal(self, request, uuid, field):
        """The number in clear; who looked stands in the trail."""
        resident = self.fetch(request, str(uuid))
        if request.method != "POST" or not request.user.has_perm("clinic.reveal_resident"):
            raise PermissionDenied
        if field not in REVEALED:
            raise Http404
        shown = actions.reveal(resident=resident, field=field, by=request.user, request=request)
        return HttpResponse(
            shown, content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"}
        )

    def merge(self, request, survivor, absorbed):
        """Both rows side by side, then one act with a reason."""
        stays, goes = self.fetch(request, str(survivor)), self.fetch(request, str(absorbed))
        if not request.user.has_perm("clinic.merge_resident"):
            raise PermissionDenied
        reason = request.POST.get("reason", "").strip()
        if request.method == "POST":
            try:
                actions.merge(survivor=stays, absorbed=goes, reason=reason, by=request.user, request=request)
                messages.success(request, _("The two rows are merged."))
                return HttpResponseRedirect(self.address_of(stays))
            except Refused as refusal:
                refusals.tell(request, refusal)
        else:
            self.seen(request, stays, page="merge")
            self.seen(request, goes, page="merge")
        context = {
            **self.admin_site.each_context(request), "title": _("Merge two rows of one person"), "opts": self.opts,
            "survivor": stays, "absorbed": goes, "reason": reason, "pairs": pairs(stays, goes),
        }  # fmt: skip
        return TemplateResponse(request, "admin/clinic/resident/merge.html", context)

    def unmerge(self, request, uuid):
        reach = self.get_queryset(request).values("pk")
        found = ResidentMerge.objects.filter(uuid=uuid, survivor__in=reach).select_related("survivor").first()
        if found is None:
            raise Http404
        if request.method != "POST" or not request.user.has_perm("clinic.merge_resident"):
            raise PermissionDenied
        try:
            actions.undo_merge(
                merge=found, reason=request.POST.get("reason", "").strip(), by=request.user, request=request
            )
            messages.success(request, _("The merge is undone."))
        except Refused as refusal:
            refusals.tell(request, refusal)
        return HttpResponseRedirect(self.address_of(found.survivor))

    def merge_selected(self, request, queryset):
        """Two ticked rows go to the page that compares them; the older one stays."""
        two = list(queryset.order_by("pk")[:3])
        if len(two) != 2:
            messages.warning(request, _("Please tick exactly two rows."))
            return None
        return HttpResponseRedirect(reverse("admin:clinic_resident_merge", args=[row.uuid for row in two]))

    merge_selected.short_description = gettext_lazy("Merge the two ticked rows")
    merge_selected.allowed_permissions = ["merge"]

    def has_merge_permission(self, request):
        return request.user.has_perm("clinic.merge_resident")


def merges_of(resident):
    """Merges in force that this row took part in."""
    rows = ResidentMerge.objects.filter(undone_at=None).select_related("survivor", "absorbed", "by")
    return rows.filter(survivor=resident) | rows.filter(absorbed=resident)
