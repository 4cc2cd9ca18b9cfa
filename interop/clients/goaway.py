"""A certificate for the other environment, frame by frame: GOAWAY with a reason, then one without, then the end. Some clients
stop reading at the first of the two; this one reads all."""

import struct

from checks import CERTIFICATES, DEVICE, Checks
from http2_frames import GOAWAY, PREFACE, SETTINGS, Connection, Provider, frame

checks = Checks("goaway")
NO_ERROR = 0
LAST_STREAM_NONE = 0


def goaway(debug):
    return GOAWAY, 0, 0, struct.pack(">II", LAST_STREAM_NONE, NO_ERROR) + debug


def settings_then(what, frames):
    """Checks that `frames` are the double's SETTINGS, perhaps the acknowledgement of ours, and the two GOAWAYs."""
    expected = [goaway(b'{"reason":"BadCertificateEnvironment"}'), goaway(b"")]
    rest = [got for got in frames if got[0] != SETTINGS]
    checks.that(what, frames[:1] and frames[0][0] == SETTINGS and rest == expected, frames)


connection = Connection(CERTIFICATES["production"])
connection.send(PREFACE + frame(SETTINGS))
settings_then("SETTINGS, GOAWAY BadCertificateEnvironment, GOAWAY, closed", list(connection.frames()))

provider = Provider(DEVICE, CERTIFICATES["production"])
provider.send()
settings_then("the same for one that has sent a push by then, which gets no answer", list(provider.frames))
checks.exit()
