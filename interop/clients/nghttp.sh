#!/usr/bin/env bash
# nghttp: the frames of a connection, one by one. It cannot be given a CA but by OpenSSL's variable; `--no-dep` leaves out the
# PRIORITY frames that browsers used to send.
source "$(dirname "$0")/checks.sh"
export SSL_CERT_FILE="$CA"

payload=$(mktemp)
trap 'status=$?; rm -f "$payload"; exit $((status ? status : failures))' EXIT
printf '{"aps":{"alert":"Hello"}}' >"$payload" # nghttp needs a real file: it sends its size first

trace() { # trace DEVICE_TOKEN [NGHTTP_OPTION…]
    timeout 10 nghttp --verbose --no-dep --data="$payload" -H ':method: POST' \
        -H "apns-topic: $TOPIC" -H 'apns-push-type: alert' "${@:2}" "$SANDBOX/3/device/$1" 2>&1 || true
}
with_token=(-H "authorization: bearer $JWT")
with_certificate() { printf '%s\n' "--cert=$CERTIFICATES/provider-$1.pem" "--key=$CERTIFICATES/provider-$1.pem"; }

good=$(trace "$DEVICE" "${with_token[@]}")
check 'one stream until a provider token is accepted, then 1000, before the 200' \
    "MAX_CONCURRENT_STREAMS\(0x03\):1\].*MAX_CONCURRENT_STREAMS\(0x03\):1000\].*:status: 200.*apns-id: $UUID" "$good"
check 'a 200 ends with its HEADERS' 'recv HEADERS frame [^;]*; END_STREAM \| END_HEADERS' "$good"
bad=$(trace "$BAD_DEVICE" "${with_token[@]}")
check 'a 400 has its reason in one DATA frame, which ends it' \
    ':status: 400.*\{"reason":"BadDeviceToken"\}.*recv DATA frame <length=27, flags=0x01' "$bad"

mapfile -t universal < <(with_certificate universal)
check '1000 streams at once with a certificate' 'recv SETTINGS[^>]*>[^;]*MAX_CONCURRENT_STREAMS\(0x03\):1000\].*:status: 200' \
    "$(trace "$DEVICE" "${universal[@]}")"
mapfile -t production < <(with_certificate production)
refused=$(trace "$DEVICE" "${production[@]}")
check 'GOAWAY with the reason, then an empty one, for a production certificate in the sandbox' \
    'recv GOAWAY[^]]*NO_ERROR[^]]*opaque_data\(38\)=\[\{"reason":"BadCertificateEnvironment"\}\].*recv GOAWAY[^]]*NO_ERROR[^]]*opaque_data\(0\)=\[\]' \
    "$refused"
check 'and no answer' '^[^_]*(_[^s][^_]*)*$|not processed' "$(grep -v ':status:' <<<"$refused" || true)"
