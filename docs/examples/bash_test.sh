#!/usr/bin/env bash
# A test of a provider against mock-apns, with bash and curl. A real test would call its own provider where curl pushes here.
#
#     bash_test.sh [path of mock-apns]
set -euo pipefail

mock_apns=${1:-mock-apns}
folder=$(mktemp -d)

# Port 0 takes free ports, so that nothing else on this machine is in the way; mock-apns env tells which.
"$mock_apns" --port 0 --out "$folder" --ready-file "$folder/ready.json" --log warn >/dev/null &
double=$!
trap 'kill "$double"; wait "$double" || true; rm -rf "$folder"' EXIT
"$mock_apns" ready --wait --ready-file "$folder/ready.json"
eval "$("$mock_apns" env --ready-file "$folder/ready.json")"

# ask METHOD PATH [curl options]: asks the control API; a refusal ends the test with what was wrong and what to do.
ask() {
    curl --silent --show-error --fail-with-body --request "$1" "$APNS_CONTROL_URL$2" "${@:3}" || { echo >&2; return 1; }
}

# field NAME: the first text of this name in the JSON that comes in. A test with jq at hand would use that.
field() {
    grep -o "\"$1\":\"[^\"]*" | head -n 1 | cut -d '"' -f 4
}

# push DEVICE-TOKEN TEXT: sends a push, and prints the answer's status, apns-id and body.
push() {
    : >"$folder/body"
    curl --silent --http2 --cacert "$APNS_CA" "$APNS_URL/3/device/$1" --data "{\"aps\":{\"alert\":\"$2\"}}" \
        --header "authorization: $authorization" --header 'apns-topic: com.example.app' --header 'apns-push-type: alert' \
        --output "$folder/body" --write-out '%{http_code} %header{apns-id} '
    cat "$folder/body"
}

# expect WHAT WANTED GOT
expect() {
    if [[ $3 == *"$2"* ]]; then echo "ok: $1"; else echo "FAILED: $1: wanted $2, got $3" >&2; exit 1; fi
}

# A team of this test's own: nothing that others do can be seen here.
made=$(ask POST /v1/teams --data '{"apps":["com.example.app"]}')
team=$(field id <<<"$made")
key=$(field key-id <<<"$made")
token=$(ask POST "/v1/tokens?team=$team" --data '{"device":"alice-phone"}' | field token)
authorization=$(ask POST "/v1/keys/$key/provider-token?team=$team" | field authorization)

# A push reaches the phone; the wait is answered as soon as it has.
expect 'a push is accepted' 200 "$(push "$token" 'Your order has shipped')"
found=$(ask GET "/v1/notifications?team=$team&wait=5s" --get --data-urlencode 'filter=device:alice-phone "order has shipped"')
expect 'the phone has it' '"status":"Delivered to Device"' "$found"
expect 'and nothing else came' '"holds":true' \
    "$(ask POST "/v1/assertions?team=$team" --data '{"assertions":[{"filter":"status:200","min":1,"max":1}]}')"

# A refused push is explained.
refused=$(push 00ff 'Hello')
expect 'a bad device token is refused' '400' "$refused"
read -r _ id _ <<<"$refused"
expect 'by its rule' '"summary":"400 BadDeviceToken: device-token-is-known does not hold' "$(ask GET "/v1/requests/$id/explain")"

# A provider token expires after an hour.
ask POST "/v1/clock/advance?team=$team" --data '{"by":"61m"}' >/dev/null
expect 'an old provider token is refused' 'ExpiredProviderToken' "$(push "$token" 'Hello')"

# A reset forgets everything but the keys.
ask POST "/v1/reset?team=$team"
expect 'nothing is left after a reset' '"notifications":[]' "$(ask GET "/v1/notifications?team=$team")"
