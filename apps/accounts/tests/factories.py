"""Makes people for tests."""

import itertools

from django.contrib.auth.hashers import make_password

from apps.accounts.models import Role, User

PASSWORD = "correct horse battery staple"
_numbers = itertools.count(1)
_hashes: list[str] = []


def make_user(
    *,
    email: str | None = None,
    role: Role = Role.MEMBER,
    display_name: str = "",
    is_active: bool = True,
) -> User:
    """Make a person who can sign in with `PASSWORD`."""
    if not _hashes:
        _hashes.append(make_password(PASSWORD))
    return User.objects.create(
        email=email or f"person{next(_numbers)}@example.com",
        role=role,
        display_name=display_name,
        is_active=is_active,
        password=_hashes[0],
    )


def make_owner(*, email: str | None = None) -> User:
    """Make a person who owns the instance."""
    return make_user(email=email, role=Role.OWNER)
