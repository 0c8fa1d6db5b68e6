"""The product with one more address, a constant behind sign-in: what our middleware and checks cost."""

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
