// It trusts what the system trusts, whatever SSL_CERT_FILE says. On Debian and Ubuntu:
// sudo cp {{ca:shell}} /usr/local/share/ca-certificates/mock-apns.crt && sudo update-ca-certificates
import APNS
import APNSCore
import Foundation

let client = APNSClient(
    configuration: .init(
        authenticationMethod: .jwt(
            privateKey: try .init(pemRepresentation: String(contentsOfFile: {{key}}, encoding: .utf8)),
            keyIdentifier: {{key_id}},
            teamIdentifier: {{team_id}}
        ),
        environment: .custom(url: {{origin}}, port: {{sandbox_port}})
    ),
    eventLoopGroupProvider: .createNew,
    responseDecoder: JSONDecoder(),
    requestEncoder: JSONEncoder()
)
let answer = try await client.sendAlertNotification(
    .init(
        alert: .init(title: .raw("Hello"), subtitle: nil, body: nil, launchImage: nil),
        expiration: .immediately,
        priority: .immediately,
        topic: {{topic}},
        payload: EmptyPayload()
    ),
    deviceToken: {{device_token}}
)
print(answer)
client.shutdown { _ in }
