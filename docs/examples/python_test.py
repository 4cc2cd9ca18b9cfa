#!/usr/bin/env python3
"""Tests of a provider against mock-apns, with nothing but Python's standard library. curl sends the pushes here; a real
test would call its own provider in its place.

    python3 python_test.py [path of mock-apns]
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

MOCK_APNS = sys.argv.pop(1) if len(sys.argv) > 1 else "mock-apns"


class Double:
    """A mock-apns that runs, and its control API."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        ready_file = os.path.join(self.folder.name, "ready.json")
        # Port 0 takes free ports, so that nothing else on this machine is in the way; the ready file tells which.
        self.process = subprocess.Popen(
            [MOCK_APNS, "--port", "0", "--out", self.folder.name, "--ready-file", ready_file, "--log", "warn"],
            stdout=subprocess.DEVNULL,
        )
        subprocess.run([MOCK_APNS, "ready", "--wait", "--ready-file", ready_file], check=True, stdout=subprocess.DEVNULL)
        with open(ready_file) as file:
            ready = json.load(file)
        self.sandbox, self.control, self.ca = ready["sandbox"]["url"], ready["control"]["url"], ready["ca"]

    def ask(self, method, path, body=None, **query):
        """Asks the control API. Whatever it refuses is raised with what was wrong and what to do."""
        url = f"{self.control}{path}?{urllib.parse.urlencode(query)}"
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data, method=method)) as response:
                text = response.read()
        except urllib.error.HTTPError as refused:
            error = json.load(refused)["error"]
            raise AssertionError(f"{method} {path}: {error['message']}. {error['hint']}") from None
        return json.loads(text) if text else None

    def push(self, device_token, authorization, payload, **headers):
        """Sends a push, and returns the answer's status, its apns-id and its reason."""
        fields = {"authorization": authorization, "apns-topic": "com.example.app", "apns-push-type": "alert"}
        fields.update({name.replace("_", "-"): value for name, value in headers.items()})
        command = ["curl", "--silent", "--http2", "--cacert", self.ca, "--data", json.dumps(payload)]
        for name, value in fields.items():
            command += ["--header", f"{name}: {value}"]
        command += ["--write-out", "\n%{http_code} %header{apns-id}", f"{self.sandbox}/3/device/{device_token}"]
        body, last = subprocess.run(command, check=True, capture_output=True, text=True).stdout.rsplit("\n", 1)
        status, apns_id = last.split()
        return int(status), apns_id, json.loads(body)["reason"] if body else None

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=10)
        self.folder.cleanup()


class Pushing(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.double = Double()
        cls.addClassCleanup(cls.double.stop)

    def setUp(self):
        # A team of this test's own: nothing that others do can be seen here.
        team = self.double.ask("POST", "/v1/teams", {"apps": ["com.example.app"]})
        self.team, self.key = team["id"], team["keys"][0]["key-id"]
        self.token = self.ask("POST", "/v1/tokens", {"device": "alice-phone"})["token"]

    def ask(self, method, path, body=None, **query):
        return self.double.ask(method, path, body, team=self.team, **query)

    def push(self, device_token=None, text="Hello", **headers):
        return self.double.push(device_token or self.token, self.authorization, {"aps": {"alert": text}}, **headers)

    @property
    def authorization(self):
        if not hasattr(self, "_authorization"):
            self._authorization = self.ask("POST", f"/v1/keys/{self.key}/provider-token", {})["authorization"]
        return self._authorization

    def test_a_push_reaches_the_phone(self):
        status, apns_id, _ = self.push(text="Your order has shipped")
        self.assertEqual(status, 200)

        # The answer comes as soon as the phone has the notification, without asking again and again.
        found = self.ask("GET", "/v1/notifications", filter='device:alice-phone "order has shipped"', wait="5s")
        notification = found["notifications"][0]
        self.assertEqual(notification["apns-id"], apns_id)
        self.assertEqual(notification["status"], "Delivered to Device")
        self.assertEqual(notification["shown"]["body"], "Your order has shipped")

        verdict = self.ask("POST", "/v1/assertions", {
            "assertions": [
                {"name": "the alert", "filter": "type:alert status:200", "min": 1, "max": 1},
                {"name": "nothing refused", "filter": "event:refused", "max": 0},
            ]
        })
        self.assertTrue(verdict["holds"], verdict["text"])

    def test_what_did_not_come_is_told_with_what_came_instead(self):
        self.push(apns_push_type="background", apns_priority="5")
        found = self.ask("GET", "/v1/notifications", filter="type:alert", wait="100ms")
        self.assertFalse(found["satisfied"])
        self.assertEqual(found["near-misses"][0]["differences"], ["type: asked alert, has background"])

    def test_a_refused_push_is_explained(self):
        status, apns_id, reason = self.push(device_token="00ff")
        self.assertEqual((status, reason), (400, "BadDeviceToken"))

        explanation = self.double.ask("GET", f"/v1/requests/{apns_id}/explain")["explanation"]
        failed = next(rule for rule in explanation["rules"] if rule["outcome"] == "failed")
        self.assertEqual(failed["reason"], "BadDeviceToken")
        print(f"\n  {explanation['summary']}\n  The usual mistake: {failed['usual-mistake']}")

    def test_a_provider_token_expires_after_an_hour(self):
        self.assertEqual(self.push()[0], 200)
        self.ask("POST", "/v1/clock/advance", {"by": "61m"})
        self.assertEqual(self.push()[::2], (403, "ExpiredProviderToken"))

    def test_a_phone_that_is_offline_gets_the_last_push_when_it_comes_back(self):
        self.ask("PATCH", "/v1/devices/alice-phone", {"state": "offline"})
        for text in ["1 : 0", "1 : 1"]:
            self.push(text=text)
        self.ask("PATCH", "/v1/devices/alice-phone", {"state": "online"})
        found = self.ask("GET", "/v1/notifications", filter='status:"Delivered to Device (From Storage)"', wait="5s")
        self.assertEqual([it["json"]["aps"]["alert"] for it in found["notifications"]], ["1 : 1"])

    def test_a_reset_forgets_everything_but_the_keys(self):
        self.push()
        self.ask("POST", "/v1/reset")
        self.assertEqual(self.ask("GET", "/v1/notifications")["notifications"], [])
        self.assertEqual(self.push()[1:][1], "BadDeviceToken")
        self.token = self.ask("POST", "/v1/tokens", {"device": "alice-phone"})["token"]
        self.assertEqual(self.push()[0], 200)


if __name__ == "__main__":
    unittest.main(verbosity=2)
