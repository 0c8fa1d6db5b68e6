"""The addresses of pages, admin and REST; each app names its own in its `urls.py`."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from apps.accounts.urls import api_urlpatterns as accounts_api
from apps.accounts.urls import sign_in_urlpatterns
from apps.exchanges.urls import api_urlpatterns as exchanges_api
from apps.live.urls import api_urlpatterns as live_api
from apps.markets.urls import api_urlpatterns as markets_api
from apps.operations.urls import api_urlpatterns as operations_api
from apps.portfolios.urls import api_urlpatterns as portfolios_api

# Addresses are tried from the top, so what programs ask for most often stands there.
api_v1: list[URLPattern | URLResolver] = [
    path("", include((portfolios_api, "portfolios"), namespace="api-portfolios")),
    path("", include((markets_api, "markets"), namespace="api-markets")),
    path("", include((exchanges_api, "exchanges"), namespace="api-exchanges")),
    path("", include((accounts_api, "accounts"), namespace="api-accounts")),
    path("", include((live_api, "live"), namespace="api-live")),
    path("", include((operations_api, "operations"), namespace="api-operations")),
]

admin.autodiscover()

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", include(api_v1)),
    path("", include(sign_in_urlpatterns)),
    path("admin/", admin.site.urls),
    path("api/", include("apps.core.urls")),
    path("", include("apps.accounts.urls")),
    path("", include("apps.operations.urls")),
    path("", include("apps.markets.urls")),
    path("", include("apps.portfolios.urls")),
    path("", include("apps.exchanges.urls")),
    path("", include("apps.dashboard.urls")),
]

handler400 = "apps.core.api.problems.bad_request"
handler403 = "apps.core.api.problems.permission_denied"
handler404 = "apps.core.api.problems.page_not_found"
handler500 = "apps.core.api.problems.server_error"
