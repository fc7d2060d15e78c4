"""`X-Twilio-Signature`, from Twilio's published description ("Security", Validating signatures).

Our own implementation on purpose: the service checks with the library's, and the two must agree.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping


def sign(auth_token: str, url: str, form: Mapping[str, str]) -> str:
    """HMAC-SHA1 of the URL and the form's names and values in the order of the names, in base64."""
    signed = url + "".join(name + form[name] for name in sorted(form))
    digest = hmac.new(auth_token.encode(), signed.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()
