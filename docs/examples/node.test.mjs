// A test of a provider against mock-apns, with nothing but what Node brings. It sends its pushes itself; a real test would call
// its own provider in that place.
//
//     MOCK_APNS=path/of/mock-apns node --test node.test.mjs

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http2 from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';

const mockApns = process.env.MOCK_APNS ?? 'mock-apns';
const folder = mkdtempSync(join(tmpdir(), 'mock-apns-'));
let double, ready; // the process, and its addresses
let team, key, token, provider; // of the test that runs, with its connection to the sandbox

before(() => {
  // Port 0 takes free ports, so that nothing else on this machine is in the way; the ready file tells which.
  const readyFile = join(folder, 'ready.json');
  const options = ['--port', '0', '--out', folder, '--ready-file', readyFile, '--log', 'warn'];
  double = spawn(mockApns, options, { stdio: ['ignore', 'ignore', 'inherit'] });
  execFileSync(mockApns, ['ready', '--wait', '--ready-file', readyFile]);
  ready = JSON.parse(readFileSync(readyFile, 'utf8'));
});

after(async () => {
  double.kill();
  await new Promise((ended) => double.on('exit', ended));
  rmSync(folder, { recursive: true, force: true });
});

// A team of each test's own: nothing that others do can be seen here. A connection takes the provider tokens of one team, as
// Apple's does, so that each test has one of its own too.
beforeEach(async () => {
  const made = await ask('POST', '/v1/teams', { apps: ['com.example.app'] });
  [team, key] = [made.id, made.keys[0]['key-id']];
  ({ token } = await ask('POST', '/v1/tokens', { device: 'alice-phone' }, { team }));
  provider = http2.connect(ready.sandbox.url, { ca: readFileSync(ready.ca) });
});

afterEach(() => provider.close());

/** Asks the control API. Whatever it refuses is thrown with what was wrong and what to do. */
async function ask(method, path, body, query = {}) {
  const url = `${ready.control.url}${path}?${new URLSearchParams(query)}`;
  const response = await fetch(url, { method, body: body && JSON.stringify(body) });
  const text = await response.text();
  const answer = text ? JSON.parse(text) : undefined;
  if (!response.ok) throw new Error(`${method} ${path}: ${answer.error.message}. ${answer.error.hint}`);
  return answer;
}

/** Sends a push: the answer's status, its apns-id and its reason. */
function push(deviceToken, authorization, payload, headers = {}) {
  return new Promise((resolve, reject) => {
    const request = provider.request({
      ':method': 'POST',
      ':path': `/3/device/${deviceToken}`,
      authorization,
      'apns-topic': 'com.example.app',
      'apns-push-type': 'alert',
      ...headers,
    });
    let answer, body = '';
    request.on('response', (fields) => (answer = fields));
    request.setEncoding('utf8').on('data', (data) => (body += data));
    request.on('end', () => resolve({ status: answer[':status'], id: answer['apns-id'], reason: body && JSON.parse(body).reason }));
    request.on('error', reject);
    request.end(JSON.stringify(payload));
  });
}

const authorize = async () => (await ask('POST', `/v1/keys/${key}/provider-token`, {}, { team })).authorization;
const hello = { aps: { alert: 'Hello, Alice' } };

test('a push reaches the phone', async () => {
  // The wait is answered as soon as the phone has the notification, without asking again and again.
  const arrives = ask('GET', '/v1/notifications', undefined, { team, filter: 'device:alice-phone "hello, alice"', wait: '5s' });
  const { status, id } = await push(token, await authorize(), hello);
  assert.equal(status, 200);

  const [notification] = (await arrives).notifications;
  assert.equal(notification['apns-id'], id);
  assert.equal(notification.shown.body, 'Hello, Alice');

  const verdict = await ask('POST', '/v1/assertions', {
    assertions: [
      { name: 'the alert', filter: 'type:alert status:200', min: 1, max: 1 },
      { name: 'nothing refused', filter: 'event:refused', max: 0 },
    ],
  }, { team });
  assert.ok(verdict.holds, verdict.text);
});

test('a refused push is explained', async () => {
  const { status, id, reason } = await push('00ff', await authorize(), hello);
  assert.deepEqual([status, reason], [400, 'BadDeviceToken']);
  const { explanation } = await ask('GET', `/v1/requests/${id}/explain`);
  const failed = explanation.rules.find((rule) => rule.outcome === 'failed');
  assert.equal(failed.reason, 'BadDeviceToken');
  assert.match(failed['usual-mistake'], /\w/);
});

test('a provider token expires after an hour', async () => {
  const authorization = await authorize();
  assert.equal((await push(token, authorization, hello)).status, 200);
  await ask('POST', '/v1/clock/advance', { by: '61m' }, { team });
  assert.deepEqual((({ status, reason }) => [status, reason])(await push(token, authorization, hello)), [403, 'ExpiredProviderToken']);
});

test('events come as they happen', async () => {
  const url = `${ready.control.url}/v1/events?${new URLSearchParams({ team, filter: 'event:notification' })}`;
  const stream = await fetch(url, { headers: { accept: 'text/event-stream' } });
  await push(token, await authorize(), hello);
  let text = '';
  for await (const chunk of stream.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.includes('"Delivered to Device"')) break;
  }
  assert.match(text, /^event: notification$/m);
});

test('a reset forgets everything but the keys', async () => {
  await push(token, await authorize(), hello);
  await ask('POST', '/v1/reset', undefined, { team });
  assert.deepEqual((await ask('GET', '/v1/notifications', undefined, { team })).notifications, []);
  assert.equal((await push(token, await authorize(), hello)).reason, 'BadDeviceToken');
});
