import asyncio
import ssl

from aioapns import APNs, NotificationRequest, PushType
from aioapns.connection import APNsDevelopmentClientProtocol

# Host and port are attributes of a class; APNsProductionClientProtocol has production's, at port {{production_port}} here.
APNsDevelopmentClientProtocol.APNS_SERVER = {{host}}
APNsDevelopmentClientProtocol.APNS_PORT = {{sandbox_port}}


async def main():
    apns = APNs(
        key=open({{key}}).read(),
        key_id={{key_id}},
        team_id={{team_id}},
        topic={{topic}},
        use_sandbox=True,
        ssl_context=ssl.create_default_context(cafile={{ca}}),
    )
    device_token = {{device_token}}
    hello = NotificationRequest(device_token, {"aps": {"alert": "Hello"}}, push_type=PushType.ALERT)
    answer = await apns.send_notification(hello)
    print(answer.status, answer.description or "")


asyncio.run(main())
