"""aioapns (PyPI), told what to do by a conformance suite (docs/adapter-protocol.md).

Called as its README calls it: one APNs, a NotificationRequest for each push, send_notification. It tells its caller status,
reason and timestamp of an answer; everything else is an exception after the last attempt.

It cannot be told: how long a push may take; a clock; another credential without another APNs; a user name and password for the
proxy; expiration 0, which becomes the present second, because it takes a time to live; push types that it has no member of
PushType for. Its host and port belong to a class. It writes the payload anew from what json.loads makes of it.
"""

import asyncio
import importlib.metadata
import json
import ssl
import sys
import tempfile
import time
from urllib.parse import urlsplit

from aioapns import APNs, NotificationRequest, PushType
from aioapns.connection import APNsTLSClientProtocol

CAN = ["key", "certificate", "proxy", "attempts-max", "connections-max"]
# Pushes whose result has not been told; whoever says more waits.
IN_HAND_MAX = 10_000
# The longest instruction; the rest of a longer one is none.
LINE_BYTES_MAX = 1024 * 1024
NO_INSTRUCTION = 2


def tell(**event):
    print(json.dumps(event), flush=True)


class Client:
    """One APNs and its pushes under way."""

    def __init__(self, order):
        self.under_way = set()
        options = {"use_sandbox": order.get("environment") == "sandbox"}
        options["ssl_context"] = ssl.create_default_context(cadata=order["ca-pem"])
        if "attempts-max" in order:
            options["max_connection_attempts"] = order["attempts-max"]
        if "connections-max" in order:
            options["max_connections"] = order["connections-max"]
        if "proxy" in order:
            options["proxy_host"], options["proxy_port"] = proxy(order["proxy"])
        self.apns = new_apns(order["credential"], options)

        class Protocol(APNsTLSClientProtocol):
            APNS_SERVER = order["host"]
            APNS_PORT = order["port"]

        self.apns.pool.protocol_class = Protocol

    async def close(self):
        """Its close() cuts off pushes under way, to send them again; whoever wants their results waits for them first."""
        if self.under_way:
            await asyncio.wait(self.under_way)
        self.apns.pool.close()


def new_apns(whose, options):
    if "certificate-pem" in whose:
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:  # which it reads at once
            file.write(whose["certificate-pem"])
            file.flush()
            return APNs(client_cert=file.name, **options)
    # It does not begin without a topic; each push has its own.
    options["topic"] = "topic.of.no.push"
    return APNs(key=whose["p8"], key_id=whose["key-id"], team_id=whose["team-id"], **options)


def proxy(text):
    url = urlsplit(text)
    if url.username:
        raise ValueError("its proxy is a host and a port: it cannot be told a user name and password")
    return url.hostname, url.port or 80


def request(order):
    expiration = order.get("expiration")
    if expiration:
        expiration -= int(time.time())
    return NotificationRequest(
        device_token=order["device-token"],
        message=json.loads(order["payload"]),
        notification_id=order.get("apns-id"),
        time_to_live=expiration,
        priority=order.get("priority"),
        collapse_key=order.get("collapse-id"),
        push_type=PushType(order["push-type"]),
        apns_topic=order["topic"],
    )


async def send(apns, order):
    """What became of the push, as the library tells it."""
    try:
        what = request(order)
    except Exception as error:
        return {"outcome": "invalid", "why": repr(error)}
    try:
        answer = await apns.send_notification(what)
    except Exception as error:
        return {"outcome": "ambiguous", "why": repr(error)}
    if answer.is_successful:
        return {"outcome": "accepted", "apns-id": answer.notification_id}
    result = {"outcome": "rejected", "status": int(answer.status), "apns-id": answer.notification_id}
    told = {"reason": answer.description, "timestamp": answer.timestamp}
    return result | {name: value for name, value in told.items() if value is not None}


async def tell_result(client, order, in_hand):
    result = await send(client.apns, order)
    tell(event="result", id=order["id"], **result)
    in_hand.release()


async def main():
    tell(event="ready", name="aioapns", version=importlib.metadata.version("aioapns"), can=CAN)
    client, closing, in_hand = None, set(), asyncio.Semaphore(IN_HAND_MAX)
    while line := await asyncio.to_thread(sys.stdin.buffer.readline, LINE_BYTES_MAX):
        if not line.strip():
            continue
        try:
            order = json.loads(line)
            do = order["do"]
        except (ValueError, TypeError, KeyError) as error:
            tell(event="failed", why=f"not an instruction: {error!r}")
            return NO_INSTRUCTION
        if do == "configure":
            try:
                old, client = client, Client(order)
            except Exception as error:
                tell(event="failed", why=repr(error))
                continue
            if old:
                closing.add(asyncio.create_task(old.close()))
            tell(event="configured")
        elif do == "send" and client:
            await in_hand.acquire()
            task = asyncio.create_task(tell_result(client, order, in_hand))
            client.under_way.add(task)
            task.add_done_callback(client.under_way.discard)
        elif do == "exit":
            break
        else:
            tell(event="failed", why="nothing was configured" if do == "send" else f"this adapter cannot {do}")
    return 0


sys.exit(asyncio.run(main()))
