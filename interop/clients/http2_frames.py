"""HTTP/2 frames by hand (RFC 9113), for what no well-behaved client can be made to send."""

import itertools
import socket
import ssl
import struct

from checks import READY, port

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM = ACK = 0x1
END_HEADERS = 0x4
# Seconds that anything may take; what is later is a failure.
PATIENCE = 10


def frame(kind, flags=0, stream=0, payload=b""):
    """A frame; its payload may be of any length, also of one that is not allowed."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def headers(*fields):
    """A field block of literals without index and without Huffman coding (RFC 7541, 6.2.2)."""
    return b"".join(b"\0" + string(name.encode()) + string(value.encode()) for name, value in fields)


def string(octets):
    """A string literal with its length before it (RFC 7541, 5.1 and 5.2)."""
    length = len(octets)
    if length < 127:
        return bytes([length]) + octets
    length -= 127
    prefix = [127]
    while length >= 128:
        prefix.append(length % 128 + 128)
        length //= 128
    return bytes([*prefix, length]) + octets


def tcp():
    """A connection to the sandbox, without TLS."""
    return socket.create_connection(("localhost", port("sandbox")), PATIENCE)


class Connection:
    """A connection to the sandbox, with TLS, on which nothing was sent yet."""

    def __init__(self, certificate=None):
        context = ssl.create_default_context(cafile=READY["ca"])
        if certificate:
            context.load_cert_chain(certificate)
        context.set_alpn_protocols(["h2"])
        self.socket = context.wrap_socket(tcp(), server_hostname="localhost")
        self.received = b""

    def send(self, octets):
        """Sends as much as the double takes: it may have closed already, and has said why."""
        try:
            self.socket.sendall(octets)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            pass

    def frames(self):
        """Each frame that comes, as (kind, flags, stream, payload), until the double closes."""
        while True:
            while len(self.received) < 9 or len(self.received) < 9 + int.from_bytes(self.received[:3], "big"):
                try:
                    octets = self.socket.recv(65536)
                except (ConnectionResetError, ssl.SSLEOFError):
                    octets = b""
                if not octets:
                    return
                self.received += octets
            end = 9 + int.from_bytes(self.received[:3], "big")
            kind, flags, stream = struct.unpack(">BBI", self.received[3:9])
            payload, self.received = self.received[9:end], self.received[end:]
            yield kind, flags, stream, payload

    def goaway(self):
        """Error code and debug text of the GOAWAY that comes, or None if the double closes without one."""
        for kind, _, _, payload in self.frames():
            if kind == GOAWAY:
                return struct.unpack(">I", payload[4:8])[0], payload[8:].decode(errors="replace")
        return None

    def close(self):
        self.socket.close()


class Provider:
    """A well-behaved provider: one connection, one push after the other."""

    def __init__(self, device_token, certificate=None):
        self.connection = Connection(certificate)
        self.connection.send(PREFACE + frame(SETTINGS))
        self.frames = self.connection.frames()
        self.streams = itertools.count(1, 2)
        self.fields = headers(
            (":method", "POST"),
            (":scheme", "https"),
            (":path", f"/3/device/{device_token}"),
            (":authority", f"localhost:{port('sandbox')}"),
            ("authorization", f"bearer {open(READY['provider_token']).read()}"),
            ("apns-topic", READY["bundle_id"]),
            ("apns-push-type", "alert"),
        )

    def send(self):
        """Sends a push, and says on which stream."""
        stream = next(self.streams)
        request = frame(HEADERS, END_HEADERS, stream, self.fields)
        self.connection.send(request + frame(DATA, END_STREAM, stream, b'{"aps":{"alert":"Hello"}}'))
        return stream

    def push(self):
        """Sends a push, and says whether the answer is a 200: one HEADERS frame that ends its stream and begins with the
        static field `:status: 200` (RFC 7541, Appendix A)."""
        stream = self.send()
        for kind, flags, on, payload in self.frames:
            if kind == SETTINGS and not flags & ACK:
                self.connection.send(frame(SETTINGS, ACK))
            elif on == stream:
                return kind == HEADERS and flags == END_STREAM | END_HEADERS and payload[:1] == b"\x88"
        return False
