"""Two clients that fail in the known way: the pain that a fault shows on the wire, in a provider that people use."""

import asyncio
import json
import logging
import ssl
import time
import urllib.request

from aioapns import APNs, NotificationRequest, PushType
from aioapns.connection import APNsDevelopmentClientProtocol
from checks import BAD_DEVICE, DEVICE, READY, Checks, port

checks = Checks("pains")


class Fault:
    """A fault for as long as the block lasts."""

    def __init__(self, **fault):
        self.fault = fault

    def __enter__(self):
        ask("POST", "/v1/faults", self.fault)
        return self

    def __exit__(self, *_):
        ask("DELETE", f"/v1/faults/{self.fault['name']}")

    def fired(self):
        return ask("GET", f"/v1/faults/{self.fault['name']}")["fired"]


def ask(method, path, body=None):
    """Asks the control API."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(READY["control"]["url"] + path, data, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def client():
    """Host and port are attributes of a class: set them before the first push."""
    APNsDevelopmentClientProtocol.APNS_SERVER = "localhost"
    APNsDevelopmentClientProtocol.APNS_PORT = port("sandbox")
    key = READY["keys"][0]
    return APNs(
        key=open(key["file"]).read(),
        key_id=key["key_id"],
        team_id=READY["team_id"],
        topic=READY["bundle_id"],
        use_sandbox=True,
        ssl_context=ssl.create_default_context(cafile=READY["ca"]),
    )


async def push(apns, device_token, seconds=5):
    """What the client tells of a push."""
    request = NotificationRequest(device_token, {"aps": {"alert": "Hello"}}, push_type=PushType.ALERT)
    try:
        return await asyncio.wait_for(apns.send_notification(request), seconds)
    except Exception as error:
        return error


async def split_error_body():
    """aioapns reads each DATA frame as a whole JSON text."""
    apns = client()
    await push(apns, DEVICE)
    with Fault(name="split-body", action={"answer": {"frame-bytes": 10}}) as fault:
        answer = await push(apns, BAD_DEVICE)
        is_lost = fault.fired() >= 1 and getattr(answer, "status", None) != "400"
        checks.that("aioapns loses a 400 whose body comes in pieces", is_lost, answer)
    apns.pool.close()


async def retry_after():
    """aioapns does not tell its caller of Retry-After, and so nobody waits."""
    apns = client()
    await push(apns, DEVICE)
    with Fault(name="busy", action={"answer": {"status": 503, "retry-after": 60}}) as fault:
        begun = time.monotonic()
        answers = [await push(apns, DEVICE) for _ in range(3)]
        took = time.monotonic() - begun
        # Not the rest: an id, or the address of an object, has a 60 in it now and then.
        says = [(getattr(answer, "status", answer), getattr(answer, "description", None)) for answer in answers]
        ignores = fault.fired() == 3 and took < 30 and "60" not in repr(says)
        checks.that("aioapns ignores Retry-After: three pushes within a minute of the first 503", ignores, says)
    apns.pool.close()


async def main():
    logging.disable(logging.CRITICAL)  # what it logs is the pain itself
    await split_error_body()
    await retry_after()


asyncio.run(main())
checks.exit()
