"""How long the proof takes that nothing signed was changed: linking the seals, then ``manage.py verify``."""

import os
import subprocess
import sys
import time

from clinic import postgres
from emr.models import SealLink
from emr.sealing import chain


def proof(yardstick):
    """A sentence; the rate also as multiples of the yardstick's requests a second."""
    began = time.perf_counter()
    linked = chain.chain_all()
    linking = time.perf_counter() - began
    seconds, megabytes, well = verify()
    count = SealLink.objects.count()
    return (
        f"\nverify: {count:,} sealed notes in {seconds:.1f} s, {count / seconds:,.0f} a second"
        f" ({count / seconds / yardstick:.1f} of the yardstick), at most {megabytes:.0f} MB;"
        f" linking {linked / linking:,.0f} a second.{'' if well else ' IT FOUND SOMETHING BROKEN.'}"
    )


def verify():
    """(seconds, most memory in MB, whether all was well) of the command as an operator runs it."""
    command = [sys.executable, "manage.py", "verify", "seals"]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "clinic.settings"}
    began = time.perf_counter()
    child = subprocess.Popen(command, cwd=postgres.PROJECT, env=environment, stdout=sys.stderr)
    _pid, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return time.perf_counter() - began, usage.ru_maxrss / 1024, child.returncode == 0
