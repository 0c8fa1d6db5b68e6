"""What a serializer that only reads its input returns."""

from typing import Any

Values = dict[str, Any]
