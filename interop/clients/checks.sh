# shellcheck shell=bash disable=SC2034
# What the shell clients share; each of them sources it. From the double's ready file ($READY_FILE) it sets
#
#   SANDBOX, PRODUCTION  https://localhost:<port>             TOPIC       the topic of an alert
#   CA                   what a client has to trust           DEVICE      a device token of the sandbox that works
#   CERTIFICATES         folder with provider-<name>.pem      BAD_DEVICE  DEVICE with its last digit changed
#   JWT, KEY_ID          a good provider token, and its key   GONE        a device token that is unregistered
#
# and a `check` prints one line, `ok …` or `FAILED …`.

set -euo pipefail
export LC_ALL=C # answers may hold bytes that are no text

eval "$(python3 - "${READY_FILE:?names the ready file of a running double}" <<'PYTHON'
import json, shlex, sys

ready = json.load(open(sys.argv[1]))
device = {token["name"]: token["token"] for token in ready["device_tokens"]}
works = device["sandbox"]
for name, value in {
    "SANDBOX": ready["sandbox"]["url"],
    "PRODUCTION": ready["production"]["url"],
    "CA": ready["ca"],
    "JWT": open(ready["provider_token"]).read(),
    "KEY_ID": ready["keys"][0]["key_id"],
    "CERTIFICATES": ready["folder"],
    "TOPIC": ready["bundle_id"],
    "DEVICE": works,
    "BAD_DEVICE": works[:-1] + ("1" if works[-1] == "0" else "0"),
    "GONE": device["sandbox-unregistered"],
}.items():
    print(f"{name}={shlex.quote(value)}")
PYTHON
)"

UUID='[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}'
MILLISECONDS='[0-9]{13}' # a time of this century; in seconds it has ten digits
client=$(basename "$0" .sh)
failures=0
temporary=$(mktemp -d)
trap 'status=$?; rm -r "$temporary"; exit $((status ? status : failures))' EXIT

# check WHAT PATTERN TEXT: whether TEXT has a match of the extended regular expression PATTERN, in which . is also an end of line.
check() {
    if [[ $3 =~ $2 ]]; then
        printf 'ok %s: %s\n' "$client" "$1"
    else
        printf 'FAILED %s: %s\n  expected: %s\n  got: %s\n' "$client" "$1" "$2" "${3:-nothing}"
        failures=1
    fi
}
