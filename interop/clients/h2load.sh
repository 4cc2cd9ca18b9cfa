#!/usr/bin/env bash
# h2load: many pushes at once. It verifies no certificate, so that it needs no CA.
source "$(dirname "$0")/checks.sh"

payload=$temporary/payload.json
printf '{"aps":{"alert":"Hello"}}' >"$payload"

load() { # load CONNECTIONS STREAMS DEVICE_TOKEN
    timeout 60 h2load --requests=1000 --clients="$1" --max-concurrent-streams="$2" --data="$payload" \
        -H "authorization: bearer $JWT" -H "apns-topic: $TOPIC" -H 'apns-push-type: alert' "$SANDBOX/3/device/$3" 2>&1 || true
}

check '1000 pushes, 100 streams of one connection: all 200' 'status codes: 1000 2xx' "$(load 1 100 "$DEVICE")"
check '1000 pushes, 10 connections of 100 streams: all 200' 'status codes: 1000 2xx' "$(load 10 100 "$DEVICE")"
check '1000 pushes to a bad device token: all 400' 'status codes: 0 2xx, 0 3xx, 1000 4xx' "$(load 1 100 "$BAD_DEVICE")"
