"""What every list and form of the station desk shares.

Rows come through ``visible_to`` and are addressed by uuid; a hidden row is 404. Nothing is deleted here.
Writing goes through actions, and what an action refuses stands on the form with the input kept.
"""

import uuid

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import ForeignKey
from django.http import Http404, HttpResponseRedirect
from django.urls import path, register_converter, reverse
from django.urls.converters import UUIDConverter
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from clinic import audit
from clinic.admin.history import RowHistory
from clinic.codes import Act
from clinic.errors import Refused

COUNTED = 10_000


class PublicId(UUIDConverter):
    """A uuid as text, as Django's admin passes ids about. A row number finds no page, nor makes a link."""

    def to_python(self, value):
        return value


register_converter(PublicId, "public_id")


class CappedPaginator(Paginator):
    """Counts no further than a person leafs: the whole trail's count would cost a scan of a million rows."""

    @cached_property
    def count(self):
        return self.object_list.order_by()[:COUNTED].count()


class DeskList(ChangeList):
    def url_for_result(self, result):
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=(result.uuid,))


class DeskForm(forms.ModelForm):
    """Choices of other rows are told apart by uuid, the present one too."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            one = not isinstance(field, forms.ModelMultipleChoiceField)
            if one and getattr(field, "to_field_name", None) == "uuid" and self.instance.pk is not None:
                chosen = getattr(self.instance, name)
                self.initial[name] = chosen and chosen.uuid


class RefusedForm:
    """Mixed into a form whose action was refused: the sentence becomes an error, the input stays."""

    refusal: Refused

    def full_clean(self):
        super().full_clean()
        facts = self.refusal.facts
        found = facts.get("fields") or {facts.get("field"): self.refusal.message}
        for field, sentence in found.items():
            self.add_error(field if field in self.fields else None, sentence)


class DeskAdmin(RowHistory, admin.ModelAdmin):
    form = DeskForm
    view_on_site = False
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 0
    save_as = False
    # Whether rows have a page of their own; rows without a uuid have none.
    addressed = True

    # Rows -----------------------------------------------------------------------------------------

    def get_queryset(self, request):
        return self.model.objects.visible_to(request.user)

    def get_object(self, request, object_id, from_field=None):
        try:
            key = uuid.UUID(object_id)
        except ValueError:
            return None
        if from_field or not self.addressed:
            return None
        return self.get_queryset(request).filter(uuid=key).first()

    def fetch(self, request, object_id):
        """The row for a page of our own: hidden is 404, too little right is 403."""
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        return row

    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(
            request, {"title": self.opts.verbose_name_plural, **(extra_context or {})}
        )

    def get_changelist(self, request, **kwargs):
        return DeskList

    def get_list_display_links(self, request, list_display):
        return super().get_list_display_links(request, list_display) if self.addressed else None

    def lookup_allowed(self, lookup, value, request=None):
        """Only the filters on the page: no probing of other columns through the address."""
        declared = {
            entry if isinstance(entry, str) else entry.parameter_name
            for entry in self.get_list_filter(request)
        }
        if self.date_hierarchy:
            declared.add(self.date_hierarchy)
        return lookup.split("__")[0] in declared

    def action_checkbox(self, obj):
        attrs = {"class": "action-select", "aria-label": _("Select %(row)s") % {"row": obj}}
        box = forms.CheckboxInput(attrs, lambda value: False)
        return box.render(helpers.ACTION_CHECKBOX_NAME, str(obj.uuid))

    # Rights ---------------------------------------------------------------------------------------

    def has_delete_permission(self, request, obj=None):
        return False

    def get_actions(self, request):
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def get_inline_instances(self, request, obj=None):
        """Lines of a row that exists: a new row is saved first."""
        return super().get_inline_instances(request, obj) if obj else []

    def get_urls(self):
        """Django's pages, rows by public id; none to delete."""

        def page(address, view, name):
            full = f"{self.opts.app_label}_{self.opts.model_name}_{name}"
            return path(address, self.admin_site.admin_view(view), name=full)

        rows = [
            page("<public_id:object_id>/change/", self.change_view, "change"),
            *self.history_urls(),
        ]
        return [
            page("", self.changelist_view, "changelist"), page("add/", self.add_view, "add"),
            *(rows if self.addressed else []),
        ]  # fmt: skip

    # Forms ----------------------------------------------------------------------------------------

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        """Choices in the user's reach, told apart by uuid, without links that would open a popup."""
        model = db_field.remote_field.model
        if "queryset" not in kwargs and hasattr(model.objects, "visible_to"):
            kwargs["queryset"] = model.objects.visible_to(request.user)
        kwargs.setdefault("to_field_name", "uuid")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and isinstance(db_field, ForeignKey):
            for link in ("add", "change", "delete", "view"):
                setattr(field.widget, f"can_{link}_related", False)
        return field

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change=change, **kwargs)
        refusal = getattr(request, "refusal", None)
        return type(form)(form.__name__, (RefusedForm, form), {"refusal": refusal}) if refusal else form

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except Refused as refusal:
            request.refusal = refusal
            return super().changeform_view(request, object_id, form_url, extra_context)

    def _get_obj_does_not_exist_redirect(self, request, opts, object_id):
        raise Http404

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        if change and obj is not None and request.method == "GET":
            self.seen(request, obj)
        context.update(show_save_and_add_another=False, show_save_and_continue=change)
        if obj is not None:
            names = {"kind": self.opts.verbose_name, "name": obj}
            context.update(title=_("%(kind)s: %(name)s") % names, subtitle=None)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def resident_of(self, obj):
        """The resident whose data the page shows, or None."""
        return

    def seen(self, request, obj, **detail):
        resident = self.resident_of(obj)
        if resident is not None:
            audit.record(Act.VIEW, request=request, resident=resident, obj=obj, detail=detail)

    # Answers --------------------------------------------------------------------------------------

    def address_of(self, obj, page="change"):
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}", args=(obj.uuid,))

    def list_address(self):
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    def response_add(self, request, obj, post_url_continue=None):
        messages.success(request, _("%(kind)s saved.") % {"kind": self.opts.verbose_name})
        return HttpResponseRedirect(self.address_of(obj))

    def response_change(self, request, obj):
        messages.success(request, _("%(kind)s saved.") % {"kind": self.opts.verbose_name})
        stay = "_continue" in request.POST
        return HttpResponseRedirect(self.address_of(obj) if stay else self.list_address())

    # History is django-simple-history's (clinic.admin.history); Django's own log is not kept ---------------

    def log_addition(self, request, obj, message):
        return

    def log_change(self, request, obj, message):
        return

    def log_deletions(self, request, queryset):
        return

    # Selections -----------------------------------------------------------------------------------

    def response_action(self, request, queryset):
        """Checkboxes carry uuids; Django's own code filters by row number."""
        chosen = []
        for text in request.POST.getlist(helpers.ACTION_CHECKBOX_NAME):
            try:
                chosen.append(uuid.UUID(text))
            except ValueError as error:
                raise Http404 from error
        rows = list(self.get_queryset(request).filter(uuid__in=chosen).values_list("pk", flat=True))
        if len(rows) != len(set(chosen)):
            raise Http404
        request.POST = request.POST.copy()
        request.POST.setlist(helpers.ACTION_CHECKBOX_NAME, rows)
        return super().response_action(request, queryset)


class ReadOnlyAdmin(DeskAdmin):
    """Rows that the desk shows and never writes."""

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False
