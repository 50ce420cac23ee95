"""Who is speaking: terminals by signed messages, staff by password and cookie; and the server's own signature."""

from fleet_server.security.director import Director, FileDirector
from fleet_server.security.passwords import hash_password, hash_pin, open_private_key, seal_private_key, verify_password
from fleet_server.security.staff_identity import (
    CSRF_FIELD,
    CSRF_HEADER,
    Role,
    SignInNeeded,
    StaffIdentity,
    StaffSession,
    current_staff,
    end_session,
    end_sessions_of,
    maybe_staff,
    open_session,
    require,
)
from fleet_server.security.terminal_identity import (
    SignedRoute,
    TerminalIdentity,
    TerminalKey,
    signed_terminal,
    verify_upgrade,
)

__all__ = [
    "CSRF_FIELD",
    "CSRF_HEADER",
    "Director",
    "FileDirector",
    "Role",
    "SignInNeeded",
    "SignedRoute",
    "StaffIdentity",
    "StaffSession",
    "TerminalIdentity",
    "TerminalKey",
    "current_staff",
    "end_session",
    "end_sessions_of",
    "hash_password",
    "hash_pin",
    "maybe_staff",
    "open_private_key",
    "open_session",
    "require",
    "seal_private_key",
    "signed_terminal",
    "verify_password",
    "verify_upgrade",
]
