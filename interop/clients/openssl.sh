#!/usr/bin/env bash
# openssl s_client: the handshake with each certificate that is refused. A bad chain is refused by a TLS alert, a certificate
# that cannot be used here by a GOAWAY after a good handshake.
source "$(dirname "$0")/checks.sh"

handshake() { # handshake VERSION CERTIFICATE_NAME
    local certificate=$CERTIFICATES/provider-$2.pem
    # In TLS 1.3 the client is done before the server has seen its certificate; -ign_eof stays for what the server says then.
    timeout 10 openssl s_client -connect "${SANDBOX#https://}" "-$1" -alpn h2 -ign_eof \
        -CAfile "$CA" -verify_return_error -verify_hostname localhost \
        -cert "$certificate" -key "$certificate" -cert_chain "$certificate" </dev/null 2>&1 | tr -d '\0' || true
}

for version in tls1_2 tls1_3; do
    check "$version, expired: alert 45" 'alert certificate expired.*SSL alert number 45' "$(handshake "$version" expired)"
    check "$version, revoked: alert 44" 'alert certificate revoked.*SSL alert number 44' "$(handshake "$version" revoked)"
    check "$version, of another CA: alert 46" 'alert certificate unknown.*SSL alert number 46' \
        "$(handshake "$version" foreign-ca)"
    check "$version, of the other environment: GOAWAY BadCertificateEnvironment" \
        'Verify return code: 0 \(ok\).*\{"reason":"BadCertificateEnvironment"\}' \
        "$(handshake "$version" wrong-environment-for-development)"
    check "$version, without topics: GOAWAY BadCertificate" \
        'Verify return code: 0 \(ok\).*\{"reason":"BadCertificate"\}' "$(handshake "$version" no-topics)"
done
