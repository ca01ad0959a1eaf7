"""What the chart's script says to the doctor: name → sentence, translated with the page. Holes are {named} and
filled in the browser."""

from django.utils.translation import gettext_lazy as _

TEXTS = {
    # The line at the foot
    "clean": _("No change yet"),
    "typing": _("Not saved yet…"),
    "saving": _("Saving…"),
    "saved": _("Saved {time}"),
    "receipt": _("receipt {n}"),
    "retrying": _("Not saved; trying again. Go on writing: nothing is lost."),
    "refused": _("Not saved: {fields}. Please see the note in red."),
    "not_saved": _("Not saved. {reason} The text stays on this computer."),
    "in_conflict": _("Not saved: changed elsewhere too"),
    "signed_out": _("Not saved: signed out"),
    "open_conflict": _("Compare both texts"),
    "open_signin": _("Sign in"),
    "offline": _("The server does not answer. Please try again in a moment."),
    "taken_over": _("{who} changed at {time}: {fields}. It stands here now."),
    # Two texts side by side
    "conflict_title": _("This note was changed elsewhere"),
    "conflict_intro": _(
        "{who} saved at {time} while you were writing. Choose for each entry, or write it together below."
    ),
    "conflict_mine": _("In this window"),
    "conflict_theirs": _("Saved by {who} {time}"),
    "conflict_done": _("Use this and save"),
    "conflict_later": _("Later"),
    "recover_title": _("Restore unsaved text"),
    "recover_intro": _(
        "This computer holds text of {time} that did not reach the server. Nothing is lost: choose."
    ),
    "recover_mine": _("Unsaved text of {time}"),
    "recover_theirs": _("On the server"),
    "recover_done": _("Use this and go on"),
    # Diagnoses and medicines
    "mine": _("often used"),
    "primary": _("main one"),
    "own_words": _("own words"),
    "diagnosis_free": _("Add as typed: “{text}” (own words, no code)"),
    "diagnosis_suggestions": _("Diagnoses found"),
    "diagnosis_added": _("Added: {name}"),
    "diagnosis_removed": _("Removed: {name}"),
    "diagnosis_moved": _("{name} is number {n} now"),
    "diagnosis_twice": _("{name} stands there already."),
    "diagnosis_not_added": _("The diagnosis box holds words that were not added: press Enter there."),
    "too_many_lines": _("At most {n} lines."),
    "drug_suggestions": _("Medicines found"),
    "days": _("{n} days"),
    "days_most": _("At most {n} days, long-term prescriptions included."),
    "allergy_warning": _("Allergy on record: {substance}. Please check {drug}."),
    # Less to type
    "mark_carried": _("from last time, please check"),
    "mark_stale": _("long not confirmed, please check"),
    "mark_copied": _("copied from {day}, please check"),
    "mark_earlier": _("copied from an earlier visit, please check"),
    "mark_template": _("from a template"),
    "mark_confirm": _("It is right as it stands"),
    "copied": _("Copied from {day}: {fields}. Please check what is marked."),
    "copied_nothing": _("Nothing was copied: it stands here already, or was left as it is."),
    "copy_failed": _("This visit cannot be copied from."),
    "fill_question": _("Already written: {fields}. What shall become of the new words?"),
    "template_none": _("No template found."),
    "template_gone": _("This template is no longer there."),
    "template_taken": _("Template “{name}” filled: {fields}."),
    "template_kept": _("Template “{name}” is kept, without personal data. Please look it over once."),
    "template_unsaved": _("The note is not saved yet. Please see the line at the foot."),
    "hole": _("{label}: {hole} is still to be filled in."),
    # Signing
    "signing": _("Signing…"),
    "sign_unsaved": _("The note is not saved yet, so it cannot be signed. Please see the line at the foot."),
    "sign_no_answer": _("No answer from the server. Please press “Sign” again; it will not sign twice."),
    "signed_by": _("Signed by {name}, {time}"),
}
