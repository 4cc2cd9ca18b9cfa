#!/usr/bin/env bash
# curl: the quickest way to see an answer. `--cacert` is all that tells the double from Apple.
source "$(dirname "$0")/checks.sh"

push() { # push DEVICE_TOKEN [CURL_OPTION…]
    curl --silent --show-error --include --http2 --max-time 10 --cacert "$CA" \
        -H "apns-topic: $TOPIC" -H 'apns-push-type: alert' \
        -d '{"aps":{"alert":"Hello"}}' "${@:2}" "$SANDBOX/3/device/$1" 2>&1 || true
}
with_token=(-H "authorization: bearer $JWT")
with_certificate=(--cert "$CERTIFICATES/provider-universal.pem")

check '200 with a provider token' "HTTP/2 200.*apns-id: $UUID" "$(push "$DEVICE" "${with_token[@]}")"
check '200 with a certificate' "HTTP/2 200.*apns-id: $UUID" "$(push "$DEVICE" "${with_certificate[@]}")"
id=123E4567-e89b-12D3-a456-42665544000A
check 'apns-id comes back as it was sent' "apns-id: $id" "$(push "$DEVICE" "${with_token[@]}" -H "apns-id: $id")"
check '400 BadDeviceToken' 'HTTP/2 400.*\{"reason":"BadDeviceToken"\}' "$(push "$BAD_DEVICE" "${with_token[@]}")"
check '410 Unregistered, since milliseconds' "HTTP/2 410.*\{\"reason\":\"Unregistered\",\"timestamp\":$MILLISECONDS\}" \
    "$(push "$GONE" "${with_token[@]}")"
check '403 MissingProviderToken, before the device token is looked at' \
    'HTTP/2 403.*\{"reason":"MissingProviderToken"\}' "$(push "$BAD_DEVICE")"
# As Apple does, the double speaks HTTP/2 to whoever offers nothing else.
check '200 without ALPN' 'HTTP/2 200' "$(push "$DEVICE" "${with_token[@]}" --http2-prior-knowledge --no-alpn)"
# Apple's name, as where DNS or a hosts file points it here, counts more than the port: this is production's.
apple=api.sandbox.push.apple.com:${PRODUCTION##*:}
check "200 for a sandbox token under Apple's name of the sandbox" 'HTTP/2 200' \
    "$(SANDBOX=https://$apple push "$DEVICE" "${with_token[@]}" --resolve "$apple:127.0.0.1")"
