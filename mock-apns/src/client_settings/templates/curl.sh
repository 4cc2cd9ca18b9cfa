# Makes a provider token with OpenSSL, as Apple's page on pushing from the command line does, and sends a push with it.
key_id={{key_id}} team_id={{team_id}} topic={{topic}}
base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
header=$(printf '{"alg":"ES256","kid":"%s"}' "$key_id" | base64url)
claims=$(printf '{"iss":"%s","iat":%d}' "$team_id" "$(date +%s)" | base64url)
signature=$(printf '%s' "$header.$claims" | openssl dgst -binary -sha256 -sign {{key}} | base64url)
curl -i --http2 --cacert {{ca}} \
  -H "authorization: bearer $header.$claims.$signature" \
  -H "apns-topic: $topic" -H 'apns-push-type: alert' \
  -d '{"aps":{"alert":"Hello"}}' \
  {{push_url}}
