"""The clerks' main desk: residents, their key tags, check-in, merge, Excel."""

from uuid import uuid4

from django import forms
from django.contrib import admin
from django.db.models import Prefetch
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import duplicates, identifiers, registration, registry, search
from clinic.actions import residents as actions
from clinic.admin import foreign
from clinic.admin.base import CappedPaginator, DeskAdmin, DeskForm
from clinic.admin.filters import AgeFilter, HomeFilter, KeyTagFilter
from clinic.admin.resident_acts import ResidentActs, merges_of
from clinic.admin.resident_lines import ResidentLines, TagForm
from clinic.admin.resident_sheets import ResidentSheets
from clinic.codes import KeyPopulation
from clinic.models import Institution, KeyTag, Resident

FIELDSETS = [
    (None, {"fields": [
        ("name", "phone"), ("id_type", "id_number"), ("sex", "birth_date"), ("community", "home"), "address",
    ]}),
    (gettext_lazy("Insurance and state"), {"fields": [
        ("insurance", "insurance_number"), ("life_state", "life_state_on"), "record_number", "note",
    ]}),
    (gettext_lazy("Person"), {"fields": [
        ("ethnicity", "nationality"), ("marital", "occupation"), ("employer",), ("blood_type", "rh_type"),
        ("contact_name", "contact_relation", "contact_phone"),
    ]}),
]  # fmt: skip
MASKED = {"id_number": "shown_id", "phone": "shown_phone", "contact_phone": "shown_contact_phone"}


class ResidentForm(DeskForm):
    """The rules are registration's; the database's constraints speak through the action."""

    key_tags = forms.MultipleChoiceField(
        label=gettext_lazy("key population"),
        choices=KeyPopulation.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = Resident
        exclude = ()  # noqa: DJ006 - the admin's fieldsets name the fields

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name in ("sex", "birth_date"):
            if name in self.fields:
                self.fields[name].required = False
                self.fields[name].help_text = _("Empty: as the ID number says.")

    def clean(self):
        """Constraints are the action's to check, after the numbers are in their plain form."""
        return self.cleaned_data

    def _post_clean(self):
        super()._post_clean()
        registration.tidy(self.instance)
        registration.derive(self.instance)
        changed = None if self.instance.pk is None else set(self.changed_data)
        for field, sentence in registration.problems(self.instance, changed).items():
            if field not in self.errors:
                self.add_error(field if field in self.fields else None, sentence)


@admin.register(Resident)
class ResidentAdmin(ResidentActs, ResidentLines, ResidentSheets, DeskAdmin):
    form = ResidentForm
    paginator = CappedPaginator
    list_filter = [KeyTagFilter, AgeFilter, "insurance", "life_state", HomeFilter]
    list_select_related = ["home"]
    search_fields = ["name"]
    search_help_text = gettext_lazy(
        "Name, pinyin initials, record number, or the tail of an ID or phone number"
    )
    sortable_by = ()
    actions = ["merge_selected"]
    history_masks = {
        "id_number": identifiers.mask_id, "insurance_number": identifiers.mask_id,
        "phone": identifiers.mask_phone, "contact_phone": identifiers.mask_phone,
    }  # fmt: skip

    # Rows -----------------------------------------------------------------------------------------

    def get_queryset(self, request):
        tags = Prefetch("key_tags", KeyTag.objects.filter(until=None), to_attr="tags_now")
        rows = super().get_queryset(request).select_related("home").prefetch_related(tags)
        in_list = request.resolver_match and request.resolver_match.url_name == "clinic_resident_changelist"
        return rows.current() if in_list else rows

    def get_search_results(self, request, queryset, search_term):
        """Through the house's own search; whoever lives elsewhere is named above the list."""
        if not search_term.strip():
            return queryset, False
        hits = search.find(search_term, request.user)
        request.foreign_hits = [hit.resident for hit in hits if hit.foreign]
        return queryset.filter(pk__in=[hit.resident.pk for hit in hits if not hit.foreign]), False

    def resident_of(self, obj):
        return obj

    def has_change_permission(self, request, obj=None):
        allowed = super().has_change_permission(request, obj)
        if not allowed or obj is None:
            return allowed
        return obj.merged_into_id is None and obj.home.path.startswith(request.user.institution.path)

    def get_actions(self, request):
        """With those of other apps."""
        actions = super().get_actions(request)
        for act in registry.resident_actions:
            if request.user.has_perm(act.permission):
                actions[act.name] = (_run(act), act.name, act.label)
        return actions

    # The list -------------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("sex and age"))
    def sex_and_age(self, resident):
        return f"{resident.get_sex_display()} {resident.age_text}"

    @admin.display(description=gettext_lazy("ID number"))
    def shown_id(self, resident):
        return masked(resident, "id_number", resident.masked_id)

    @admin.display(description=gettext_lazy("phone"))
    def shown_phone(self, resident):
        return masked(resident, "phone", resident.masked_phone)

    @admin.display(description=gettext_lazy("contact's phone"))
    def shown_contact_phone(self, resident):
        return masked(resident, "contact_phone", "****" if resident.contact_phone else "")

    @admin.display(description=gettext_lazy("key population"))
    def tags(self, resident):
        return "、".join(tag.get_tag_display() for tag in resident.tags_now) or "—"

    def get_list_display(self, request):
        """The buttons depend on who looks; a station needs no column that says its own name."""

        @admin.display(description="")
        def acts(resident):
            return format_html_join("", "{}", ((button,) for button in buttons(request.user, resident)))

        home = [] if request.user.institution.is_leaf else ["home"]
        return [
            "name", acts, "sex_and_age", "shown_id", "shown_phone", *home, "tags", "record_number", "life_state",
        ]  # fmt: skip

    def changelist_view(self, request, extra_context=None):
        response = super().changelist_view(request, extra_context)
        if hasattr(response, "context_data"):
            response.context_data["foreign"] = [
                foreign_row(request.user, resident) for resident in getattr(request, "foreign_hits", [])
            ]
        return response

    # The form -------------------------------------------------------------------------------------

    def get_fieldsets(self, request, obj=None):
        if obj is None:
            own, *others = FIELDSETS
            first = (None, {"fields": [*own[1]["fields"], "key_tags"]})
            drop = {"life_state", "life_state_on", "record_number"}
            return [first, *(_without(group, drop) for group in others)]
        if self.has_change_permission(request, obj):
            return FIELDSETS
        return [_renamed(group) for group in FIELDSETS]

    def get_readonly_fields(self, request, obj=None):
        return ["record_number", *MASKED.values()] if obj else []

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "home":
            kwargs["queryset"] = Institution.objects.under(request.user.institution).active()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_changeform_initial_data(self, request):
        return {"home": request.user.institution.uuid}

    def save_model(self, request, obj, form, change):
        doing = {"by": request.user, "request": request}
        if not change:
            actions.register(resident=obj, confirmed="confirmed" in request.POST, **doing)
            for tag in form.cleaned_data.get("key_tags", ()):
                actions.tag(resident=obj, tag=tag, **doing)
            return
        actions.change(resident=obj, changed=form.changed_data, **doing)
        if {"life_state", "life_state_on"} & set(form.changed_data):
            actions.set_life_state(resident=obj, state=obj.life_state, on=obj.life_state_on, **doing)

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        refusal = getattr(request, "refusal", None)
        if refusal and refusal.code in {"duplicates", "taken"}:
            found = duplicates.candidates(context["adminform"].form.instance, request.user)
            context.update(duplicates=found, confirmable=refusal.code == "duplicates")
            for match in found:
                match.url = None if match.foreign else self.address_of(match.resident)
        if obj is not None:
            context.update(
                buttons=buttons(request.user, obj),
                merges=merges_of(obj),
                tag_form=TagForm(),
                **self.lines_of(request, obj),
            )
        return super().render_change_form(request, context, add, change, form_url, obj)

    def get_urls(self):
        return [*self.act_urls(), *self.sheet_urls(), *self.line_urls(), *super().get_urls()]


def _run(act):
    return lambda _admin, request, queryset: act.run(request, queryset)


def masked(resident, field, text):
    """The masked number and the one click that shows it."""
    if not text:
        return "—"
    address = reverse("admin:clinic_resident_reveal", args=[resident.uuid, field])
    return format_html(
        '<span class="desk-masked">{} <button type="button" hx-post="{}" hx-include="#desk-act" hx-params="csrfmiddlewaretoken"'
        ' hx-target="closest .desk-masked">{}</button></span>',
        text, address, _("show"),
    )  # fmt: skip


def buttons(user, resident, token=""):
    """What other apps let a desk do to this resident in one click. The key makes two clicks one."""
    if resident.merged_into_id:
        return []
    return [
        _button(button, resident, token)
        for button in registry.resident_buttons
        if user.has_perm(button.permission) and not (token and button.own)
    ]


def _button(button, resident, token):
    address = reverse(button.url_name, args=[resident.uuid])
    tail = f"?token={token}" if token else ""
    if button.choose:
        return format_html('<a class="desk-button" href="{}{}">{}</a>', address, tail, button.label)
    return format_html(
        '<button class="desk-button main" type="submit" form="desk-act" formaction="{}{}" name="key" value="{}">{}</button>',
        address, tail, uuid4(), button.label,
    )  # fmt: skip


def foreign_row(user, resident):
    token = foreign.token(user, resident)
    return {
        "name": resident.name, "number": resident.masked_id, "home": resident.home.short_name,
        "buttons": buttons(user, resident, token),
    }  # fmt: skip


def _without(group, names):
    title, options = group
    lines = [line if isinstance(line, tuple) else (line,) for line in options["fields"]]
    kept = [tuple(name for name in line if name not in names) for line in lines]
    return title, {"fields": [line for line in kept if line]}


def _renamed(group):
    title, options = group
    lines = [line if isinstance(line, tuple) else (line,) for line in options["fields"]]
    return title, {"fields": [tuple(MASKED.get(name, name) for name in line) for line in lines]}
