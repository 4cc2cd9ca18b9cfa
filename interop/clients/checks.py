"""What the Python clients share: the double's ready file ($READY_FILE), and one line for each check."""

import json
import os
import sys

READY = json.load(open(os.environ["READY_FILE"]))
DEVICES = {token["name"]: token["token"] for token in READY["device_tokens"]}
CERTIFICATES = {certificate["name"]: certificate["file"] for certificate in READY["certificates"]}
DEVICE = DEVICES["sandbox"]
BAD_DEVICE = DEVICE[:-1] + ("1" if DEVICE[-1] == "0" else "0")
GONE = DEVICES["sandbox-unregistered"]


def port(environment="sandbox"):
    """Where that environment listens."""
    return int(READY[environment]["url"].rpartition(":")[2])


class Checks:
    """The checks of one client."""

    def __init__(self, client):
        self.client = client
        self.failed = False

    def that(self, what, holds, got):
        """Prints whether `what` holds; `got` tells why if not."""
        if holds:
            print(f"ok {self.client}: {what}", flush=True)
        else:
            print(f"FAILED {self.client}: {what}\n  got: {got!r}", flush=True)
            self.failed = True

    def exit(self):
        """Ends the program, with 1 if a check failed."""
        sys.exit(self.failed)
