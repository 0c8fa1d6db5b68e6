"""People and their preferences. The e-mail address is the sign-in name; the role says what they may do."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from apps.core.clock import now
from apps.core.ids import uuid7


class Role(models.TextChoices):
    """Owner and admin run the instance, members own portfolios, a viewer sees what is shared with them."""

    OWNER = "owner", _("Owner")
    ADMIN = "admin", _("Admin")
    MEMBER = "member", _("Member")
    VIEWER = "viewer", _("Viewer")


RUNS_INSTANCE = (Role.OWNER, Role.ADMIN)


class UserQuerySet(models.QuerySet["User"]):
    """The words in which people are asked for."""

    def active(self) -> UserQuerySet:
        return self.filter(is_active=True)

    def owners(self) -> UserQuerySet:
        return self.filter(role=Role.OWNER)

    def with_email(self, email: str) -> UserQuerySet:
        return self.filter(email=normalize_email(email))


class UserManager(BaseUserManager["User"]):
    """Makes people; the e-mail address is stored in lower case."""

    def get_queryset(self) -> UserQuerySet:
        return UserQuerySet(self.model, using=self._db)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=normalize_email(username or ""))

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:  # noqa: ANN401
        """Make a person; without a password they cannot sign in with one."""
        user = self.model(email=normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:  # noqa: ANN401
        """Make an owner; this is what `manage.py createsuperuser` calls."""
        return self.create_user(email, password, **{**fields, "role": Role.OWNER})


def instance_time_zone() -> str:
    """Return the time zone in which this instance shows times where a person has chosen none."""
    return str(settings.DISPLAY_TIME_ZONE)


def normalize_email(email: str) -> str:
    """Return the address as it is stored and compared."""
    return email.strip().lower()


class User(AbstractBaseUser):
    """A person with an account on this instance."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(_("e-mail address"), unique=True)
    display_name = models.CharField(_("display name"), max_length=80, blank=True)
    role = models.CharField(_("role"), max_length=8, choices=Role.choices, default=Role.MEMBER)
    is_active = models.BooleanField(_("active"), default=True)
    is_demo = models.BooleanField(_("demo account"), default=False)
    created_at = models.DateTimeField(_("created"), default=now, editable=False)

    objects = UserManager.from_queryset(UserQuerySet)()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_lower_case"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="user_role_known"),
        ]

    def __str__(self) -> str:
        return self.display_name or self.email

    @property
    def runs_instance(self) -> bool:
        """Tell whether this person runs the instance."""
        return self.role in RUNS_INSTANCE

    @property
    def is_staff(self) -> bool:
        """Tell Django's admin who may enter."""
        return self.is_active and self.runs_instance

    @property
    def is_superuser(self) -> bool:
        """Tell Django that there are no rights below the role."""
        return self.is_staff

    def has_perm(self, _permission: str, _obj: object = None) -> bool:
        """Answer Django's admin: those who run the instance may see everything that is registered."""
        return self.is_staff

    def has_perms(self, _permissions: object, _obj: object = None) -> bool:
        """Answer Django's admin."""
        return self.is_staff

    def has_module_perms(self, _label: str) -> bool:
        """Answer Django's admin."""
        return self.is_staff

    def get_full_name(self) -> str:
        return str(self)

    def get_short_name(self) -> str:
        return str(self)


class Theme(models.TextChoices):
    DARK = "dark", _("Dark")
    LIGHT = "light", _("Light")
    AUTO = "auto", _("Follow the system")


class Palette(models.TextChoices):
    GREEN_RED = "green-red", _("Green up, red down")
    RED_GREEN = "red-green", _("Red up, green down")
    BLUE_ORANGE = "blue-orange", _("Blue up, orange down")


class Density(models.TextChoices):
    NORMAL = "normal", _("Normal")
    COMPACT = "compact", _("Compact")


class Preferences(models.Model):
    """How one person wants to see the product."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="preferences")
    display_currency = models.CharField(_("display currency"), max_length=8, default="USD")
    theme = models.CharField(_("theme"), max_length=8, choices=Theme.choices, default=Theme.DARK)
    palette = models.CharField(_("palette"), max_length=16, choices=Palette.choices, default=Palette.GREEN_RED)
    density = models.CharField(_("density"), max_length=8, choices=Density.choices, default=Density.NORMAL)
    locale = models.CharField(_("language and number format"), max_length=16, default="en")
    time_zone = models.CharField(_("time zone"), max_length=64, default=instance_time_zone)
    private = models.BooleanField(_("hide amounts"), default=False)

    class Meta:
        verbose_name = _("preferences")
        verbose_name_plural = _("preferences")
        constraints = [
            models.CheckConstraint(condition=models.Q(theme__in=Theme.values), name="preferences_theme_known"),
            models.CheckConstraint(condition=models.Q(palette__in=Palette.values), name="preferences_palette_known"),
            models.CheckConstraint(condition=models.Q(density__in=Density.values), name="preferences_density_known"),
        ]

    def __str__(self) -> str:
        return str(self.user)
