#!/usr/bin/env bash
# The command that `mock-apns` prints when it has started, pasted as it is ($BANNER has what was printed).
source "$(dirname "$0")/checks.sh"

printed=$(sed -n '/^curl /,/^ *https:/p' "${BANNER:?names the file with the banner of the double}")
pasted() { (cd / && timeout 20 bash -c "$1" 2>&1) || true; }
without_authorization() { sed '/-H "authorization: /d' <<<"$1"; }

check 'the printed command gives 200' "HTTP/2 200.*apns-id: $UUID" "$(pasted "$printed")"
bad=${printed/"$DEVICE"/"$BAD_DEVICE"}
check 'the last digit changed gives 400 BadDeviceToken' 'HTTP/2 400.*\{"reason":"BadDeviceToken"\}' "$(pasted "$bad")"
check 'no authorization gives 403 MissingProviderToken' 'HTTP/2 403.*\{"reason":"MissingProviderToken"\}' \
    "$(pasted "$(without_authorization "$printed")")"
check 'and so it does with a bad device token' 'HTTP/2 403.*\{"reason":"MissingProviderToken"\}' \
    "$(pasted "$(without_authorization "$bad")")"
