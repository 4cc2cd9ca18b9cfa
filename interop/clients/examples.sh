#!/usr/bin/env bash
# The tests of docs/examples, each of which starts a double of its own ($BINARY is mock-apns).
source "$(dirname "$0")/checks.sh"

examples=$(cd "$(dirname "$0")/../../docs/examples" && pwd)
outcome() { timeout 60 "$@" 2>&1 && echo 'ended well' || true; }

check 'Python: every test passes' 'Ran [1-9].* tests in .*OK.*ended well' "$(outcome python3 "$examples/python_test.py" "${BINARY:?is the mock-apns to run}")"
check 'Node: every test passes' '# pass [1-9].*# fail 0.*ended well' "$(outcome env MOCK_APNS="$BINARY" node --test "$examples/node.test.mjs")"
check 'bash: every test passes' 'ok: nothing is left after a reset.*ended well' "$(outcome bash "$examples/bash_test.sh" "$BINARY")"
