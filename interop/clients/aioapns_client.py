"""aioapns, with a provider token. It offers no ALPN and sends `host` instead of `:authority`; it finds an answer by its
apns-id, so that this has to come back as it was sent."""

import asyncio
import ssl

from aioapns import APNs, NotificationRequest, PushType
from aioapns.connection import APNsDevelopmentClientProtocol
from checks import BAD_DEVICE, DEVICE, GONE, READY, Checks, port

checks = Checks("aioapns")


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


async def push(apns, device_token):
    """Status, reason and timestamp of the answer, and whether it has the apns-id of its push."""
    request = NotificationRequest(device_token, {"aps": {"alert": "Hello"}}, push_type=PushType.ALERT)
    answer = await asyncio.wait_for(apns.send_notification(request), 10)
    return answer.status, answer.description, answer.timestamp, answer.notification_id == request.notification_id


async def main():
    apns = client()
    answer = await push(apns, DEVICE)
    checks.that("200 with the apns-id that was sent", answer == ("200", None, None, True), answer)
    protocol = apns.pool.connections[0].transport.get_extra_info("ssl_object").selected_alpn_protocol()
    checks.that("no ALPN", protocol is None, protocol)
    answer = await push(apns, BAD_DEVICE)
    checks.that("400 BadDeviceToken", answer == ("400", "BadDeviceToken", None, True), answer)
    answer = await push(apns, GONE)
    is_unregistered = answer[:2] == ("410", "Unregistered") and answer[2] > 10**12
    checks.that("410 Unregistered, since milliseconds", is_unregistered, answer)
    statuses = {status for status, *_ in await asyncio.gather(*(push(apns, DEVICE) for _ in range(100)))}
    checks.that("100 pushes at once: all 200", statuses == {"200"}, statuses)
    apns.pool.close()


asyncio.run(main())
checks.exit()
