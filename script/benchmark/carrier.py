"""A simulated China Mobile in a process of its own: ``python -m benchmark.carrier``. Prints its port; each line on
stdin is JSON with faults to change and is answered with its counts."""

import asyncio
import json
import os
import signal
import subprocess
import sys

from messaging.simulators.cmpp import CmppCarrier
from messaging.simulators.ledger import Ledger

LOGIN, SECRET = "900001", "888888"


class CarrierProcess:
    def __init__(self, **faults):
        command = [sys.executable, "-m", "benchmark.carrier", json.dumps(faults)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = json.loads(self.process.stdout.readline())["port"]

    def tell(self, **words) -> dict:
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def kick(self):
        """Its connections break."""
        self.tell(kick=True)

    def stop(self):
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()


async def serve(faults):
    carrier = CmppCarrier({LOGIN: SECRET}, ledger=Ledger(keep=0))
    carrier.faults.update_from(faults)
    await carrier.start()
    print(json.dumps({"port": carrier.port}), flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        words = json.loads(line)
        if words.pop("clear", False):
            carrier.ledger.clear()
        if words.pop("kick", False):
            carrier.kick()
        carrier.faults.update_from(words)
        print(json.dumps(carrier.ledger.snapshot()), flush=True)


if __name__ == "__main__":
    asyncio.run(serve(json.loads(sys.argv[1])))
