#!/usr/bin/env bash
# What `mock-apns env` prints, pasted as it is: variables into a shell, programs into what runs them ($BINARY is mock-apns).
source "$(dirname "$0")/checks.sh"

interop=$(cd "$(dirname "$0")/.." && pwd)
ln -s "$interop/node_modules" "$temporary/node_modules" # Node looks for packages beside the program

printed() { "${BINARY:?is the mock-apns to run}" env --ready-file "$READY_FILE" "$@"; }
pasted() { # pasted CLIENT FILE COMMAND…
    printed --client "$1" >"$temporary/$2"
    (cd "$temporary" && timeout 20 "${@:3}" "$2" 2>&1) || true
}
with_variables() {
    eval "$(printed)"
    curl -i --silent --show-error --max-time 10 --cacert "$APNS_CA" \
        -H "authorization: bearer $(cat "$APNS_PROVIDER_TOKEN_FILE")" -H "apns-topic: $APNS_TOPIC" \
        -H 'apns-push-type: alert' -d '{"aps":{"alert":"Hello"}}' "$APNS_URL/3/device/$APNS_DEVICE_TOKEN" 2>&1 || true
}

check 'a push with its variables: 200' "HTTP/2 200.*apns-id: $UUID" "$(with_variables)"
check 'curl: 200' "HTTP/2 200.*apns-id: $UUID" "$(pasted curl push.sh sh)"
check 'node-apn: 200' "\"device\":\"$DEVICE\".*\"apns-id\":\"$UUID\".*\"failed\":\[\]" "$(pasted node-apn push.mjs node)"
check 'apns2-npm: 200' "^200 for $DEVICE\$" "$(pasted apns2-npm push.mjs node)"
check 'aioapns: 200' '^200' "$(pasted aioapns push.py "$interop/.venv/aioapns/bin/python")"

# yaml FILE: the names at the top of it, or of each block of YAML in a document.
yaml() { "$interop/.venv/pyyaml/bin/python" "$interop/clients/yaml_keys.py" "$@" 2>&1 || true; }
printed --client gorush >"$temporary/gorush.yml"
check 'gorush: a service' '^services$' "$(yaml "$temporary/gorush.yml")"
for recipe in "$interop"/../docs/recipes/*.md; do
    check "$(basename "$recipe"): YAML" '^((name,on,jobs|services,volumes)[[:space:]]?)+$' "$(yaml "$recipe")"
done
