"""aapns, with a certificate. It drops the timestamp of a 410, and reads the reason of a GOAWAY."""

import asyncio

from aapns.api import Server
from aapns.errors import APNSError, BadDeviceToken, Closed, Unregistered
from aapns.models import Alert, Notification
from checks import BAD_DEVICE, CERTIFICATES, DEVICE, GONE, READY, Checks, port

checks = Checks("aapns")
HELLO = Notification(alert=Alert(body="Hello"))


def server(certificate):
    return Server(
        client_cert_path=CERTIFICATES[certificate],
        host="localhost",
        port=port("sandbox"),
        ca_file=READY["ca"],
        pool_size=1,
    )


async def push(apns, device_token):
    """The apns-id, or the error that aapns made of the answer."""
    try:
        return await asyncio.wait_for(apns.send_notification(device_token, HELLO, topic=READY["bundle_id"]), 15)
    except (APNSError, TimeoutError) as error:
        return error


async def main():
    apns = await server("universal").create_client()
    answer = await push(apns, DEVICE)
    checks.that("200 with an apns-id", isinstance(answer, str) and len(answer) == 36, answer)
    answer = await push(apns, BAD_DEVICE)
    checks.that("400 BadDeviceToken", isinstance(answer, BadDeviceToken) and answer.apns_id, answer)
    answer = await push(apns, GONE)
    checks.that("410 Unregistered", isinstance(answer, Unregistered) and answer.apns_id, answer)
    await apns.close()

    apns = await server("production").create_client()
    answer = await push(apns, DEVICE)
    is_refused = isinstance(answer, Closed) and answer.args == ("BadCertificateEnvironment",)
    checks.that("GOAWAY BadCertificateEnvironment for a production certificate in the sandbox", is_refused, answer)
    await apns.close()


asyncio.run(main())
checks.exit()
