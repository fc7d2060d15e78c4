"""`X-Twilio-Signature`: the library's check and the double's own signing against a published case."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from notify.twilio_webhooks import signed_by_twilio
from simulations.twilio_double.signature import sign

# The case of Twilio's documentation ("Security") and of its Python library's tests (MIT).
TOKEN = "12345"
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
FORM = {
    "CallSid": "CA1234567890ABCDE",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
    "Caller": "+14158675309",
}
SIGNATURE = "RSOYDt4T1cUTdK1PDd93/VVr8B8="
VECTOR = Path(__file__).parents[3] / "shared" / "data" / "twilio_signature_vector.json"


def test_the_typed_in_case() -> None:
    assert signed_by_twilio(TOKEN, URL, FORM, SIGNATURE)
    assert sign(TOKEN, URL, FORM) == SIGNATURE


@pytest.mark.skipif(not VECTOR.exists(), reason="shared/data/twilio_signature_vector.json is absent")
def test_the_case_in_shared_data() -> None:
    vector = json.loads(VECTOR.read_text())
    case = (vector["auth_token"], vector["url"], vector["params"])
    assert signed_by_twilio(*case, vector["signature"])
    assert sign(*case) == vector["signature"]


@pytest.mark.parametrize(
    ("token", "url", "form", "signature"),
    [
        ("12346", URL, FORM, SIGNATURE),
        (TOKEN, URL + "&baz=3", FORM, SIGNATURE),
        (TOKEN, URL.replace("https", "http"), FORM, SIGNATURE),
        (TOKEN, URL, FORM | {"Digits": "1235"}, SIGNATURE),
        (TOKEN, URL, FORM | {"More": "1"}, SIGNATURE),
        (TOKEN, URL, {}, SIGNATURE),
        (TOKEN, URL, FORM, SIGNATURE[:-2] + "9="),
        (TOKEN, URL, FORM, ""),
        (TOKEN, URL, FORM, None),
        (TOKEN, URL, FORM, "RSOYDt4T1cUTdK1PDd93/VVr8B8é"),
    ],
)
def test_anything_else_was_not_signed_by_twilio(
    token: str, url: str, form: dict[str, str], signature: str | None
) -> None:
    assert not signed_by_twilio(token, url, form, signature)


def test_accents_and_empty_values_are_signed_alike() -> None:
    form = {"Body": "één €, 1", "Empty": ""}
    assert signed_by_twilio(TOKEN, URL, form, sign(TOKEN, URL, form))
