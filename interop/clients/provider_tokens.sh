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

IFS=. read -r header claims signature <<<"$JWT"
key_id=$(sed -E 's/.*"key_id": *"([^"]+)".*/\1/; q' <(grep '"key_id"' "$READY_FILE"))
with_header() { printf '%s.%s.%s' "$(printf '%s' "$1" | base64url)" "$claims" "$signature"; }

declare -A provider_tokens=(
    ['no JWT']='hello'
    ['not base64url']='!!!.???.***'
    ['only dots']='..'
    ['a hundred parts']=$(repeated 100 .)
    ['cut off']=${JWT::-20}
    ['without a signature']=$header.$claims.
    ['with the claims of none']=$header..$signature
    ['with another signature']=$header.$claims.$(repeated 86 A)
    ['alg none']=$(with_header "{\"alg\":\"none\",\"kid\":\"$key_id\"}" | sed 's/[^.]*$//')
    ['alg HS256']=$(with_header "{\"alg\":\"HS256\",\"kid\":\"$key_id\"}")
    ['of an unknown key']=$(with_header '{"alg":"ES256","kid":"NOSUCHKEY1"}')
    ['a header that is not JSON']=$(with_header 'hello')
    ['JSON of a thousand brackets']=$(with_header "$(repeated 1000 '[')")
    ['of 7,000 bytes']=$(repeated 7000 A)
    ['of 60,000 bytes']=$(repeated 60000 A)
)
for what in "${!provider_tokens[@]}"; do
    check "$what: 403 InvalidProviderToken" 'HTTP/2 403.*\{"reason":"InvalidProviderToken"\}' "$(push "${provider_tokens[$what]}")"
done
check 'and the good one: 200' 'HTTP/2 200' "$(push "$JWT")"
