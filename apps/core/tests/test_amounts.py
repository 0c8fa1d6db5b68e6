"""Amounts survive the real PostgreSQL to the last digit, and the database itself refuses what is too long."""

from decimal import Decimal
from typing import ClassVar

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, models, transaction
from django.db.models import F, Sum
from django.forms import Form
from django.test.utils import isolate_apps
from rest_framework import serializers

from apps.core.api.fields import AmountSchema, AmountSerializerField
from apps.core.models import AmountField, AmountFormField, amount_checks

LONGEST = "9" * 40 + "." + "9" * 30
EXACT = [
    "1.000000000000000001",
    "12345678901234567890.123456789012345678",
    LONGEST,
    "-" + LONGEST,
    "0." + "0" * 29 + "1",
    "0",
    "0.1",
    "21000000",
    "1" + "0" * 39,
]

with isolate_apps("apps.core"):

    class Sample(models.Model):
        amount = AmountField()
        price = AmountField(null=True, blank=True)

        objects: ClassVar[models.Manager["Sample"]] = models.Manager()

        class Meta:
            app_label = "core"
            db_table = "core_test_sample"
            constraints: ClassVar = amount_checks("amount", "price")


@pytest.fixture
def table(db: None) -> None:
    with connection.schema_editor() as editor:
        editor.create_model(Sample)


def stored(value: object) -> Decimal:
    sample = Sample(amount=value)
    sample.save()
    amount = Sample.objects.get(pk=sample.pk).amount
    assert isinstance(amount, Decimal)
    return amount


@pytest.mark.usefixtures("table")
class TestInTheDatabase:
    @pytest.mark.parametrize("text", EXACT)
    def test_keeps_every_digit(self, text: str) -> None:
        assert stored(text) == Decimal(text)
        assert stored(Decimal(text)) == Decimal(text)
        assert Sample.objects.filter(amount=Decimal(text)).count() == 2

    def test_the_column_has_no_type_modifier(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "select format_type(atttypid, atttypmod) from pg_attribute"
                " where attrelid = 'core_test_sample'::regclass and attname = 'amount'"
            )
            assert cursor.fetchone() == ("numeric",)

    def test_sums_and_expressions_are_exact(self) -> None:
        Sample.objects.bulk_create(
            Sample(amount=Decimal("0.1"), price=Decimal("1.000000000000000001")) for _ in range(1000)
        )
        total = Sample.objects.aggregate(total=Sum("amount"), value=Sum(F("amount") * F("price")))
        assert total == {"total": Decimal(100), "value": Decimal("100.0000000000000001")}

    @pytest.mark.parametrize(
        "value", [0.1, "NaN", Decimal("Infinity"), "1e40", "1e-31", "abc", True, Decimal("1E+99999")]
    )
    def test_refuses_before_the_database_is_asked(self, value: object) -> None:
        with pytest.raises(ValueError, match="amount: "):
            stored(value)
        with pytest.raises(ValueError, match="amount: "):
            Sample.objects.filter(amount=value).exists()

    @pytest.mark.parametrize("column", ["amount", "price"])
    @pytest.mark.parametrize(
        "literal",
        ["1e40", "-1e40", "1e-31", "0.0000000000000000000000000000001", "'NaN'", "'Infinity'", "'-Infinity'", "1e100"],
    )
    def test_the_database_refuses_what_came_around_the_field(self, column: str, literal: str) -> None:
        values = {"amount": "1", "price": "1"} | {column: literal}
        insert = f"insert into core_test_sample (amount, price) values ({values['amount']}, {values['price']})"  # noqa: S608
        with pytest.raises(IntegrityError, match=f"core_sample_{column}_exact"), transaction.atomic():
            connection.cursor().execute(insert)

    @pytest.mark.parametrize("literal", [LONGEST, "1.5" + "0" * 40, "-0", "0e-40"])
    def test_the_database_takes_what_fits_by_value(self, literal: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"insert into core_test_sample (amount) values ({literal})")  # noqa: S608
        assert Sample.objects.get().amount == Decimal(literal)

    def test_nothing_is_nothing(self) -> None:
        Sample(amount=1).save()
        assert Sample.objects.get(price=None).price is None

    def test_a_full_check_of_the_model_uses_the_constraints(self) -> None:
        Sample(amount=Decimal(LONGEST)).full_clean()
        with pytest.raises(ValidationError) as caught:
            Sample(amount="1e40").full_clean()
        assert caught.value.message_dict == {
            "amount": ["Use at most 40 digits before and 30 after the point; amounts are never rounded."]
        }


def field() -> AmountField[object, object]:
    return AmountField(name="amount")


def test_the_field_passes_djangos_checks_and_travels_in_migrations() -> None:
    assert Sample.check() == []
    _, path, args, kwargs = Sample._meta.get_field("price").deconstruct()
    assert path == "apps.core.models.amounts.AmountField"
    assert list(args) == []
    assert kwargs == {"null": True, "blank": True}


@pytest.mark.parametrize(
    ("value", "code"),
    [(0.1, "amount_type"), ("x", "amount_syntax"), ("NaN", "amount_not_finite"), ("1e40", "amount_too_long")],
)
def test_to_python_refuses_with_a_code(value: object, code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        field().to_python(value)
    assert caught.value.code == code


def test_dumps_are_plain() -> None:
    amount = Sample._meta.get_field("amount")
    price = Sample._meta.get_field("price")
    sample = Sample(amount=Decimal("1E-20"))
    assert amount.value_to_string(sample) == "0.00000000000000000001"
    assert price.value_to_string(sample) == ""
    assert amount.to_python(amount.value_to_string(sample)) == sample.amount


class SampleForm(Form):
    amount = AmountFormField()
    price = AmountFormField(required=False)


def test_the_form_field_parses_exactly() -> None:
    form = SampleForm({"amount": " 1.000000000000000001 ", "price": ""})
    assert form.is_valid()
    assert form.cleaned_data == {"amount": Decimal("1.000000000000000001"), "price": None}


@pytest.mark.parametrize("text", ["", "1,5", "NaN", "1e40", "0." + "0" * 30 + "1"])
def test_the_form_field_refuses(text: str) -> None:
    form = SampleForm({"amount": text})
    assert not form.is_valid()
    assert set(form.errors) == {"amount"}


def test_the_form_shows_plain_figures_and_knows_a_change() -> None:
    form = SampleForm(initial={"amount": Decimal("1E-10")})
    assert 'value="0.0000000001"' in str(form["amount"])
    changed = AmountFormField()
    assert not changed.has_changed(Decimal("1.50"), "1.5")
    assert changed.has_changed(Decimal("1.50"), "1.51")
    assert changed.has_changed(Decimal("1.50"), "no number")
    assert isinstance(Sample._meta.get_field("amount").formfield(), AmountFormField)


class SampleSerializer(serializers.Serializer[object]):
    amount = AmountSerializerField()


@pytest.mark.parametrize("data", ["1.000000000000000001", LONGEST, 12, "0.10"])
def test_the_serializer_field_keeps_every_digit(data: str | int) -> None:
    serializer = SampleSerializer(data={"amount": data})
    assert serializer.is_valid()
    assert serializer.validated_data == {"amount": Decimal(data)}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (0.1, "amount_type"),
        (None, "null"),
        (True, "amount_type"),
        ([], "amount_type"),
        ({}, "amount_type"),
        ("", "amount_syntax"),
        ("NaN", "amount_not_finite"),
        ("1e40", "amount_too_long"),
    ],
)
def test_the_serializer_field_refuses_with_a_code(data: object, code: str) -> None:
    serializer = SampleSerializer(data={"amount": data})
    assert not serializer.is_valid()
    assert [problem.code for problem in serializer.errors["amount"]] == [code]


@pytest.mark.parametrize(("number", "text"), [("1E-18", "0.000000000000000001"), ("-0.00", "0"), ("1E+3", "1000")])
def test_the_serializer_field_emits_plain_strings(number: str, text: str) -> None:
    assert SampleSerializer({"amount": Decimal(number)}).data == {"amount": text}


def test_the_openapi_document_describes_amounts() -> None:
    schema = AmountSchema(AmountSerializerField())  # type: ignore[no-untyped-call]
    out = schema.map_serializer_field(None, "response")  # type: ignore[arg-type]
    assert out["type"] == "string"
    sent = schema.map_serializer_field(None, "request")  # type: ignore[arg-type]
    assert [option["type"] for option in sent["oneOf"]] == ["string", "integer"]  # type: ignore[attr-defined]
