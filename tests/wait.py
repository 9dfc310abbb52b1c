# SPDX-License-Identifier: GPL-2.0-or-later
"""Waiting for conditions, never for times: on a busy machine everything takes longer."""
import os
import time

LONG = 120  # seconds, after which nothing comes any more


def until(good, seconds=LONG):
    """What @good returns once it is true, or at the end of the time."""
    end = time.monotonic() + seconds
    while not (got := good()) and time.monotonic() < end:
        time.sleep(0.02)
    return got


def listening(path):
    """Somebody listens at a UNIX socket: its file is there before that (proc(5): the flag __SO_ACCEPTCON)."""
    path = os.path.realpath(path)
    for line in open('/proc/net/unix'):
        f = line.rstrip('\n').split(None, 7)
        if len(f) > 7 and f[3] == '00010000' and os.path.realpath(f[7]) == path:
            return True
    return False
