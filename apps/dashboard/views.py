"""The overview, and the pages that belong to the shell itself: offline, manifest, service worker, components."""

from hashlib import sha256
from typing import Final

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_safe

from apps.core import clock
from apps.dashboard.domain.samples import everything
from apps.dashboard.forms import SampleForm
from apps.dashboard.queries import overview_for
from apps.dashboard.templatetags.look import asset

SHELL_FILES: Final = (
    *(f"css/{name}.css" for name in ("tokens", "base", "layout", "controls", "auth", "utilities")),
    "img/icons.svg",
    "img/mark.svg",
    "vendor/inter/inter-latin.woff2",
)
SAMPLE_INPUT: Final = {
    "coin": "ETH",
    "quantity": "1.0000000000000000000000000000001",
    "method": "fifo",
    "code": "12345",
}
GROUND: Final = "#0d0f12"
ICONS: Final = (
    ("img/icon-192.png", "192x192", "any"),
    ("img/icon-512.png", "512x512", "any"),
    ("img/icon-maskable-512.png", "512x512", "maskable"),
)


@require_safe
@login_required
@never_cache
def overview(request: HttpRequest) -> HttpResponse:
    """Show a person where they stand."""
    if not request.user.is_authenticated:
        raise Http404
    return render(request, "dashboard/overview.html", {"overview": overview_for(user=request.user, now=clock.now())})


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """Show what the installed app shows without a connection; it knows nobody."""
    return render(request, "dashboard/offline.html")


@require_safe
@cache_control(max_age=3600)
def manifest(_request: HttpRequest) -> JsonResponse:
    """Describe the app to the system that installs it."""
    body = {
        "id": "/",
        "name": "Coinsphere",
        "short_name": "Coinsphere",
        "description": _("A self-hosted home for your crypto money"),
        "start_url": reverse("dashboard:overview"),
        "scope": "/",
        "display": "standalone",
        "background_color": GROUND,
        "theme_color": GROUND,
        "categories": ["finance"],
        "icons": [
            {"src": asset(path), "sizes": sizes, "type": "image/png", "purpose": purpose}
            for path, sizes, purpose in ICONS
        ],
    }
    return JsonResponse(body, content_type="application/manifest+json")


@require_safe
@never_cache
def service_worker(request: HttpRequest) -> HttpResponse:
    """Send the script that keeps the shell for offline; a change of any kept file makes a new store."""
    files = [asset(path) for path in SHELL_FILES]
    fingerprint = sha256("|".join(files).encode()).hexdigest()[:12]
    inside = {"shell_files": SHELL_FILES, "fingerprint": fingerprint, "version": settings.VERSION}
    return render(request, "dashboard/service-worker.js", inside, content_type="text/javascript; charset=utf-8")


@require_safe
def favicon(_request: HttpRequest) -> HttpResponse:
    """Send those who ask for the old name to the mark."""
    return redirect(asset("img/mark.svg"))


@require_safe
def design(request: HttpRequest) -> HttpResponse:
    """Show every part with every state, for those who build pages; only in debug."""
    if not settings.DEBUG:
        raise Http404
    return render(request, "dashboard/design.html", {**everything(), "form": SampleForm(SAMPLE_INPUT)})
