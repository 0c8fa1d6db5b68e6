"""Money in tables: PostgreSQL `numeric` without type modifier, exact at any scale, its limits kept by constraints."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django import forms
from django.core.checks import CheckMessage
from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BaseConstraint, CheckConstraint, F, Func, Q, Value
from django.db.models.functions import Abs
from django.db.models.lookups import LessThan, LessThanOrEqual
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core.money import MAX_FRACTION_DIGITS, MAX_INTEGER_DIGITS, AmountError, parse_amount, plain

_Set = TypeVar("_Set")
_Get = TypeVar("_Get")

if TYPE_CHECKING:

    class _Numeric(models.DecimalField[_Set, _Get]):
        pass

else:

    class _Numeric(models.DecimalField, Generic[_Set, _Get]):
        pass


class AmountFormField(forms.Field):
    """Text in, an exact Decimal out; what cannot be kept exactly is refused with a reason."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})

    def to_python(self, value: object) -> Decimal | None:
        text = value.strip() if isinstance(value, str) else value
        return None if text in self.empty_values else _exact(text)

    def prepare_value(self, value: object) -> object:
        return plain(value) if isinstance(value, Decimal) and value.is_finite() else value

    def has_changed(self, initial: object, data: object) -> bool:
        try:
            return self.to_python(initial) != self.to_python(data)
        except ValidationError:
            return True


class AmountField(_Numeric[_Set, _Get]):
    """An exact amount, price or quantity. Pair it with `amount_checks` in the model's constraints."""

    description = _("Exact number")

    def check(self, **kwargs: Any) -> list[CheckMessage]:  # noqa: ANN401 - Django's own
        """Check as a plain field: max_digits stays unset, which is `numeric` without a type modifier."""
        return models.Field.check(self, **kwargs)

    validators = models.Field.validators

    def db_type(self, connection: BaseDatabaseWrapper) -> str:  # noqa: ARG002 - Django's own
        return "numeric"

    def cast_db_type(self, connection: BaseDatabaseWrapper) -> str:
        return self.db_type(connection)

    def to_python(self, value: object) -> Decimal | None:
        return None if value is None else _exact(value)

    def get_prep_value(self, value: object) -> Decimal | None:
        """Refuse before the database is asked; a programming error shows as ValueError, as Django's fields do."""
        plain_value = str(value) if isinstance(value, Promise) else value
        try:
            return None if plain_value is None else _parsed(plain_value)
        except AmountError as error:
            raise ValueError(f"{self.name}: {error.message}") from error

    def get_db_prep_value(
        self,
        value: object,
        connection: BaseDatabaseWrapper,  # noqa: ARG002 - Django's own
        prepared: bool = False,  # noqa: FBT001, FBT002 - Django's own
    ) -> Decimal | None:
        return value if prepared and isinstance(value, Decimal) else self.get_prep_value(value)

    def value_to_string(self, obj: models.Model) -> str:
        """Write dumps in plain notation."""
        value = self.value_from_object(obj)
        return "" if value is None else plain(_parsed(value))

    def formfield(self, **kwargs: Any) -> forms.Field | None:  # noqa: ANN401 - Django's own
        return models.Field.formfield(self, **{"form_class": AmountFormField, **kwargs})


class _Scale(Func):
    function = "scale"
    output_field = models.IntegerField()


class _TrimScale(Func):
    function = "trim_scale"
    output_field = models.DecimalField()


def amount_checks(*names: str) -> list[BaseConstraint]:
    """Build the constraints by which the database refuses an amount of more than 40 integer or 30 fraction digits.

    NaN and infinity are refused by the first half: PostgreSQL sorts both above every number.
    """
    return [_amount_check(name) for name in names]


def _amount_check(name: str) -> CheckConstraint:
    limit = Value(Decimal(10) ** MAX_INTEGER_DIGITS, output_field=models.DecimalField())
    small_enough = LessThan(Abs(F(name)), limit)
    short_enough = LessThanOrEqual(_Scale(_TrimScale(F(name))), Value(MAX_FRACTION_DIGITS))
    return CheckConstraint(
        name=f"%(app_label)s_%(class)s_{name}_exact",
        condition=Q(small_enough) & Q(short_enough),
        violation_error_code="amount_too_long",
        violation_error_message=_("Use at most 40 digits before and 30 after the point."),
    )


def _exact(value: object) -> Decimal:
    try:
        return _parsed(value)
    except AmountError as error:
        raise ValidationError(error.message, code=error.code) from error


def _parsed(value: object) -> Decimal:
    return parse_amount(value)  # type: ignore[arg-type]  # what has no right type is refused there
