"""What all tests share: how slow a machine is does not decide whether a test passes."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("steady", deadline=None)
settings.load_profile("steady")
