"""Simulated carriers in a process of their own: ``python -m tests.messaging.dispatching.carriers LEDGER [FAULTS]``.

Prints its port, then obeys lines of JSON on stdin (faults to change, {"stop": true} to end) and answers each with the
ledger's snapshot.
"""

import asyncio
import json
import subprocess
import sys

from messaging.simulators.cmpp import CmppCarrier
from messaging.simulators.ledger import Ledger, read_ledger

LOGIN, SECRET = "900001", "888888"


async def serve(path, faults):
    carrier = CmppCarrier({LOGIN: SECRET}, ledger=Ledger(path, keep=0))
    port = faults.pop("port", 0)
    carrier.faults.update_from(faults)
    await carrier.start(port=port)
    say({"port": carrier.port})
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        words = json.loads(line)
        if words.pop("stop", False):
            break
        if words.pop("clear", False):
            carrier.ledger.clear()
        carrier.faults.update_from(words)
        say(carrier.ledger.snapshot())
    await carrier.stop()


def say(what):
    print(json.dumps(what), flush=True)


class CarrierProcess:
    """One simulated China Mobile."""

    def __init__(self, path, **faults):
        """``port`` among the faults: where it listens."""
        self.path = path
        command = [
            sys.executable,
            "-m",
            "tests.messaging.dispatching.carriers",
            str(path),
            json.dumps(faults),
        ]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = json.loads(self.process.stdout.readline())["port"]

    def tell(self, **words) -> dict:
        """Change faults; returns what its ledger counts."""
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def entries(self):
        return read_ledger(self.path)

    def stop(self):
        if self.process.poll() is None:
            self.process.stdin.write('{"stop": true}\n')
            self.process.stdin.flush()
            self.process.wait(10)
        self.process.stdin.close()
        self.process.stdout.close()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], json.loads(sys.argv[2])))
