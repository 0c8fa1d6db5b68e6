"""Who was here from the first start on, and whether the passwords noted then still open the door."""

from django.contrib.auth.hashers import check_password

from apps.accounts.models import Role, User

OWNER, MEMBER = Role.OWNER, Role.MEMBER
Person = User


def has_owner() -> bool:
    """Say whether somebody owns the instance."""
    return User.objects.owners().exists()


def has_demo() -> bool:
    """Say whether there is a demo account."""
    return User.objects.filter(is_demo=True).exists()


def password_opens(*, email: str, password: str) -> bool:
    """Say whether this password still is the person's; asked by set-up alone, about what it made itself."""
    person = User.objects.with_email(email).filter(is_active=True).first()
    return person is not None and check_password(password, person.password)
