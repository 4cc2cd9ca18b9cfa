#!/usr/bin/env bash
# The other way round: our own provider as the client of other people's servers, Node's and nghttp2's. The checks are tests of
# Rust, in provider/tests/interop; here they are run and told.
set -euo pipefail
cd "$(dirname "$0")/../.."

status=0
output=$(cargo test --workspace --locked --test interop -- --ignored 2>&1) || status=$?
awk '/^test .* \.\.\. ok$/ { print "ok provider: " $2 } /^test .* \.\.\. FAILED$/ { print "FAILED provider: " $2 }' <<<"$output"
if ((status != 0)); then
    printf '%s\n' "$output"
fi
exit "$status"
