#!/usr/bin/env bash
# Provider tokens that are none: each gets a 403 with a reason, whatever it is made of.
source "$(dirname "$0")/checks.sh"

push() { # push PROVIDER_TOKEN
    printf 'header = "authorization: bearer %s"\n' "$1" >"$temporary/options" # a command line takes no 60,000 bytes
    curl --silent --show-error --include --max-time 10 --cacert "$CA" --config "$temporary/options" \
        -H "apns-topic: $TOPIC" -H 'apns-push-type: alert' -d '{"aps":{"alert":"Hello"}}' "$SANDBOX/3/device/$DEVICE" 2>&1 || true
}
base64url() { base64 --wrap=0 | tr '+/' '-_' | tr -d '='; }
repeated() { head -c "$1" /dev/zero | tr '\0' "$2"; }

refused() { # refused WHAT PROVIDER_TOKEN
    check "$1: 403" 'HTTP/2 403.*\{"reason":"InvalidProviderToken"\}' "$(push "$2")"
}

IFS=. read -r header claims signature <<<"$JWT"
with_header() { printf '%s.%s.%s' "$(printf '%s' "$1" | base64url)" "$claims" "$signature"; }

refused 'no JWT' hello
refused 'not base64url' '!!!.???.***'
refused 'only dots' ..
refused 'a hundred dots' "$(repeated 100 .)"
refused 'cut off' "${JWT::-20}"
refused 'without a signature' "$header.$claims."
refused 'without claims' "$header..$signature"
refused 'with another signature' "$header.$claims.$(repeated 86 A)"
none=$(with_header "{\"alg\":\"none\",\"kid\":\"$KEY_ID\"}")
refused 'alg none' "$none"
refused 'alg none, without a signature' "${none%.*}."
refused 'alg HS256' "$(with_header "{\"alg\":\"HS256\",\"kid\":\"$KEY_ID\"}")"
refused 'of an unknown key' "$(with_header '{"alg":"ES256","kid":"NOSUCHKEY1"}')"
refused 'a header that is not JSON' "$(with_header hello)"
refused 'a thousand brackets' "$(with_header "$(repeated 1000 '[')")"
refused 'of 7,000 bytes' "$(repeated 7000 A)"
refused 'of 60,000 bytes' "$(repeated 60000 A)"
check 'and the good one: 200' 'HTTP/2 200' "$(push "$JWT")"
