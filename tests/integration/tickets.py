# SPDX-License-Identifier: MIT
"""Tickets in the format of common/access/ticket.h."""

import base64
import hmac

KEY = "0123456789abcdef0123456789abcdef"
# Far enough from every test run.
FUTURE = 4_102_444_800  # 2100-01-01T00:00:00Z
PAST = 946_684_800  # 2000-01-01T00:00:00Z


def signed(station, expiry, key=KEY):
    """A ticket in the documented format."""
    claims = f"{station}.{expiry}"
    mac = hmac.digest(key.encode(), f"auralis-ticket-v1\n{claims}".encode(), "sha256")
    return f"{claims}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
