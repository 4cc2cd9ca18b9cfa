"""Bytes that no provider should send. Each connection gets a clear end, and a good one beside them is never disturbed."""

import random
import socket
import ssl
import threading

from checks import DEVICE, Checks
from http2_frames import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    GOAWAY,
    HEADERS,
    PATIENCE,
    PING,
    PREFACE,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    Connection,
    Provider,
    frame,
    headers,
    tcp,
)

checks = Checks("hostile")
# The same bytes at every run.
RANDOM = random.Random(20150514)
# Connections with each kind of random bytes.
RANDOM_CONNECTIONS = 200
# Handshakes that begin and never go on, all the while.
STALLED_CONNECTIONS = 50
# The first byte of a TLS alert record (RFC 8446, 5.1).
ALERT = 21

PROTOCOL_ERROR, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, COMPRESSION_ERROR, ENHANCE_YOUR_CALM = 1, 3, 6, 9, 11
HELLO = PREFACE + frame(SETTINGS)
FIELDS = headers((":method", "POST"), (":scheme", "https"), (":path", "/"), (":authority", "localhost"))


def opened_and_reset(stream):
    return frame(HEADERS, END_HEADERS, stream, FIELDS) + frame(RST_STREAM, stream=stream, payload=b"\0\0\0\x08")


# What is sent after the handshake, and the error code of the GOAWAY for it (RFC 9113, 7).
VIOLATIONS = [
    ("an HTTP/1.1 request", b"POST /3/device/00 HTTP/1.1\r\nhost: localhost\r\n\r\n", PROTOCOL_ERROR),
    ("no preface", b"\0" * 64, PROTOCOL_ERROR),
    ("a first frame that is not SETTINGS", PREFACE + frame(PING, payload=b"12345678"), PROTOCOL_ERROR),
    ("SETTINGS of five bytes", HELLO + frame(SETTINGS, payload=b"12345"), FRAME_SIZE_ERROR),
    ("a frame above SETTINGS_MAX_FRAME_SIZE", HELLO + frame(DATA, stream=1, payload=b" " * 16385), FRAME_SIZE_ERROR),
    ("the head of a frame of 16 MiB", HELLO + b"\xff\xff\xff" + frame(HEADERS, stream=1)[3:], FRAME_SIZE_ERROR),
    ("DATA on a stream that was never opened", HELLO + frame(DATA, stream=1, payload=b"x"), PROTOCOL_ERROR),
    ("a stream with an even identifier", HELLO + frame(HEADERS, END_HEADERS, 2, FIELDS), PROTOCOL_ERROR),
    ("PUSH_PROMISE", HELLO + frame(PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\2" + FIELDS), PROTOCOL_ERROR),
    ("CONTINUATION of nothing", HELLO + frame(CONTINUATION, END_HEADERS, 1, FIELDS), PROTOCOL_ERROR),
    ("a field block that is not HPACK", HELLO + frame(HEADERS, END_HEADERS, 1, b"\xff" * 64), COMPRESSION_ERROR),
    ("WINDOW_UPDATE of 0", HELLO + frame(WINDOW_UPDATE, payload=b"\0\0\0\0"), PROTOCOL_ERROR),
    ("a window above 2^31-1", HELLO + frame(WINDOW_UPDATE, payload=b"\x7f\xff\xff\xff"), FLOW_CONTROL_ERROR),
    (
        "a field block without end",
        HELLO + frame(HEADERS, 0, 1, FIELDS) + frame(CONTINUATION, 0, 1) * 1000,
        ENHANCE_YOUR_CALM,
    ),
    ("a flood of PING", HELLO + frame(PING, payload=b"12345678") * 1000, ENHANCE_YOUR_CALM),
    ("a flood of SETTINGS", HELLO + frame(SETTINGS) * 1000, ENHANCE_YOUR_CALM),
    ("rapid reset", HELLO + b"".join(opened_and_reset(stream) for stream in range(1, 20001, 2)), ENHANCE_YOUR_CALM),
]


class Neighbour(threading.Thread):
    """A good connection, which pushes for as long as the bad ones come."""

    def __init__(self):
        super().__init__(daemon=True)
        self.provider = Provider(DEVICE)
        self.enough = threading.Event()
        self.pushes = 0
        self.all_good = True

    def run(self):
        try:
            while self.all_good and not self.enough.wait(0.002):
                self.all_good = self.provider.push()
                self.pushes += 1
        except OSError as error:
            self.all_good = error


def below_tls(octets):
    """What the double answers to `octets` in place of a handshake, until it closes."""
    with tcp() as connection:
        answer = b""
        try:
            connection.sendall(octets)
            connection.shutdown(socket.SHUT_WR)
            while more := connection.recv(65536):
                answer += more
        except (BrokenPipeError, ConnectionResetError):
            pass
        return answer


def client_hello():
    """The first bytes of a good handshake."""
    outgoing = ssl.MemoryBIO()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass  # it waits for the answer
    return outgoing.read()


def random_frame():
    """A frame of any kind on a stream that is likely to matter."""
    payload = RANDOM.randbytes(RANDOM.choice([0, 4, 5, 6, 8, 40]))
    return frame(RANDOM.randrange(12), RANDOM.randrange(256), RANDOM.choice([0, 0, 1, 1, 3, 2**31 - 1]), payload)


def is_clear_end(answer):
    """Whether the double said what was wrong, or had nothing to say it to."""
    return answer == b"" or answer[0] == ALERT


def handshakes_that_are_none():
    for what, octets in [("an HTTP/1.1 request", b"GET / HTTP/1.1\r\n\r\n"), ("HTTP/2", HELLO)]:
        answer = below_tls(octets)
        checks.that(f"{what} without TLS: an alert", answer[:1] == bytes([ALERT]), answer)
    hello = client_hello()
    answer = below_tls(hello[: len(hello) // 2])
    checks.that("half a ClientHello: an alert, or closed", is_clear_end(answer), answer)
    answers = [below_tls(RANDOM.randbytes(RANDOM.randrange(1, 2000))) for _ in range(RANDOM_CONNECTIONS)]
    unclear = [answer for answer in answers if not is_clear_end(answer)]
    checks.that(f"{RANDOM_CONNECTIONS} times random bytes without TLS: an alert, or closed", not unclear, unclear)


def violations():
    for what, octets, code in VIOLATIONS:
        connection = Connection()
        connection.send(octets)
        goaway = connection.goaway()
        checks.that(f"{what}: GOAWAY with code {code}, and words", goaway and goaway[0] == code and goaway[1], goaway)
        connection.close()


def random_frames():
    """A PING comes last: it is answered, or some frame before it has ended the connection, or is ended by it."""
    ends = {"GOAWAY": 0, "PING": 0, None: 0}
    for _ in range(RANDOM_CONNECTIONS):
        connection = Connection()
        frames = b"".join(random_frame() for _ in range(RANDOM.randrange(1, 20)))
        connection.send(HELLO + frames + frame(PING, payload=b"the last"))
        ends[how_it_ends(connection)] += 1
        connection.close()
    all_clear = ends["GOAWAY"] > 0 and ends[None] == 0
    checks.that(f"{RANDOM_CONNECTIONS} times random frames: GOAWAY, or the connection goes on", all_clear, ends)


def how_it_ends(connection):
    """The first thing that tells: GOAWAY with an error, or the answer to the last PING; None if there is neither."""
    for kind, flags, _, payload in connection.frames():
        if kind == GOAWAY and payload[4:8] != bytes(4):
            return "GOAWAY"
        if kind == PING and flags & ACK and payload == b"the last":
            return "PING"
    return None


neighbour = Neighbour()
neighbour.start()
stalled = [tcp() for _ in range(STALLED_CONNECTIONS)]
for connection in stalled:
    connection.sendall(client_hello()[:100])
try:
    handshakes_that_are_none()
    violations()
    random_frames()
finally:
    neighbour.enough.set()
    neighbour.join(PATIENCE)
undisturbed = neighbour.all_good is True and neighbour.pushes > 20
checks.that(
    "the good connection beside them got 200 for every push", undisturbed, (neighbour.pushes, neighbour.all_good)
)
checks.exit()
