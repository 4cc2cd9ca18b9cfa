import hyper.tls
from apns2.client import APNsClient
from apns2.credentials import TokenCredentials
from apns2.payload import Payload

# Before the first connection: hyper reads its CAs from this file alone, and APNsClient has host and port as attributes.
hyper.tls.cert_loc = {{ca}}
APNsClient.SANDBOX_SERVER = {{host}}
APNsClient.DEFAULT_PORT = {{sandbox_port}}

credentials = TokenCredentials(auth_key_path={{key}}, auth_key_id={{key_id}}, team_id={{team_id}})
apns = APNsClient(credentials, use_sandbox=True)
# Returns for a 200; raises an exception of the reason's name.
apns.send_notification({{device_token}}, Payload(alert="Hello"), topic={{topic}})
print(200)
