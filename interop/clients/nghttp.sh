#!/usr/bin/env bash
# nghttp: the frames of a connection, one by one. It cannot be given a CA but by OpenSSL's variable; `--no-dep` leaves out the
# PRIORITY frames that browsers used to send.
source "$(dirname "$0")/checks.sh"
export SSL_CERT_FILE="$CA"

payload=$temporary/payload.json # a real file: nghttp sends its size first
printf '{"aps":{"alert":"Hello"}}' >"$payload"

trace() { # trace DEVICE_TOKEN [NGHTTP_OPTION…]
    timeout 10 nghttp --verbose --no-dep --data="$payload" -H ':method: POST' \
        -H "apns-topic: $TOPIC" -H 'apns-push-type: alert' "${@:2}" "$SANDBOX/3/device/$1" 2>&1 || true
}
with_token=(-H "authorization: bearer $JWT")
with_certificate() { # with_certificate NAME DEVICE_TOKEN
    trace "$2" "--cert=$CERTIFICATES/provider-$1.pem" "--key=$CERTIFICATES/provider-$1.pem"
}

# told TRACE: how many streams the double allowed, and its status, in the order in which it told.
told() {
    awk -F: '/ (send|recv) [A-Z_]+ frame / { theirs = / recv / }
             / :status: / { print $3 + 0 }
             theirs && /MAX_CONCURRENT_STREAMS/ { print $2 + 0 }' <<<"$1" | xargs
}

good=$(trace "$DEVICE" "${with_token[@]}")
check '200 with an apns-id' ":status: 200.*apns-id: $UUID" "$good"
check 'one stream until a provider token is accepted, then 1000, before the 200' '^1 1000 200$' "$(told "$good")"
check '1000 streams from the start with a certificate' '^1000 200$' "$(told "$(with_certificate universal "$DEVICE")")"
check 'a 200 ends with its HEADERS' 'recv HEADERS frame [^;]*; END_STREAM \| END_HEADERS' "$good"
check 'a 400 has its reason in one DATA frame, which ends it' \
    ':status: 400.*\{"reason":"BadDeviceToken"\}.*recv DATA frame <length=27, flags=0x01' \
    "$(trace "$BAD_DEVICE" "${with_token[@]}")"

# nghttp stops reading here if it has sent its request already; goaway.py reads on.
refused=$(with_certificate production "$DEVICE")
check 'GOAWAY with the reason for a production certificate in the sandbox' \
    'recv GOAWAY frame .*last_stream_id=0, error_code=NO_ERROR.*=\[\{"reason":"BadCertificateEnvironment"\}\]' "$refused"
check 'and no answer' '^0$' "$(grep -c ':status:' <<<"$refused" || true)"
