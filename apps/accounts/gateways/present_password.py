"""Refuses a new password that is the present one."""

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.hashers import check_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _


class PresentPasswordValidator:
    """A validator of Django's kind; who registers has no present password."""

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        """Refuse what would change nothing."""
        if user is not None and user.password and check_password(password, user.password):
            raise ValidationError(_("This is your present password. Choose another one."), code="password_unchanged")

    def get_help_text(self) -> str:
        """Say the rule."""
        return str(_("Your password must not be the present one."))
