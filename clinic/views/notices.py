"""The notices at the top of a page, asked for again by pages that stay open."""

from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from clinic import page_notices
from clinic.permissions import signed_in


@signed_in
@require_GET
def notices(request):
    told = page_notices.for_user(request.user, timezone.now())
    return render(request, "components/notices.html", {"page_notices": told})
