import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect as connectHttp2 } from 'node:http2';
import { get } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { beforeEach, expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import { keyForm, mintPki } from '../support/pki.ts';
import type { MintedCa } from '../support/pki.ts';
import { runPostern, servePostern } from '../support/postern.ts';
import type { ServingPostern } from '../support/postern.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

const closing = closeAfterEach();
let cwd: string;
let ca: MintedCa;
beforeEach(async () => {
  const folder = await makeTempFolder();
  cwd = folder.path;
  closing.push(folder.remove);
  ca = await (await mintPki()).ca('listener CA');
});

const write = (name: string, text: string): Promise<void> => writeFile(join(cwd, name), text);

async function serve(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<ServingPostern> {
  const postern = await servePostern(args, { cwd, env });
  closing.push(() => postern.kill());
  return postern;
}

async function overHttp1(url: string): Promise<IncomingMessage> {
  const [response] = (await once(get(url, { ca: ca.pem, family: 4 }), 'response')) as [IncomingMessage];
  response.resume();
  return response;
}

async function overHttp2(url: string): Promise<unknown> {
  // the option goes through to tls.connect, which the types do not say
  const options = { ca: ca.pem, family: 4 };
  const session = connectHttp2(url, options);
  closing.push(() => session.destroy());
  const [headers] = (await once(session.request({ ':path': '/health' }), 'response')) as [Record<string, unknown>];
  return headers[':status'];
}

async function presented(url: string): Promise<string | undefined> {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', servername: 'localhost', ca: ca.pem });
  await once(socket, 'secureConnect');
  const { subject } = socket.getPeerX509Certificate() ?? {};
  socket.destroy();
  return subject;
}

test('with a certificate, HTTP/1.1 and HTTP/2 are served under a name the certificate carries', async () => {
  const { chainPem, keyPem } = await ca.issue({ cn: 'gateway', dns: ['localhost'], eku: 'server' });
  await write('chain.pem', chainPem);
  await write('key.pem', keyForm(keyPem, { passphrase: 'open sesame' }));
  await write('passphrase', 'open sesame\n');
  const flags = ['--tls-cert', 'chain.pem', '--tls-key', 'key.pem', '--tls-key-password-file', 'passphrase'];
  const postern = await serve(flags);
  expect(postern.url).toMatch(/^https:\/\/localhost:\d+$/);
  expect(postern.health).toBe(`${postern.url}/health`);
  expect(await overHttp1(postern.health)).toMatchObject({ statusCode: 200, httpVersion: '1.1' });
  expect(await overHttp2(postern.url)).toBe(200);
});

test('one file may hold certificate and key, and the passphrase may come by environment', async () => {
  const { chainPem, keyPem } = await ca.issue({ cn: 'gateway', ip: ['127.0.0.1'], eku: 'server' });
  await write('both.pem', chainPem + keyForm(keyPem, { passphrase: 'open sesame' }));
  const postern = await serve([], { CERT_FILE: 'both.pem', KEY_FILE_PASSWORD: 'open sesame' });
  expect(postern.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  expect((await overHttp1(postern.health)).statusCode).toBe(200);
});

test('SIGHUP presents a renewed certificate; a broken one leaves the last good in place', async () => {
  const issue = (cn: string) => ca.issue({ cn, dns: ['localhost'], eku: 'server' });
  const first = await issue('first');
  await write('both.pem', first.bundlePem);
  const postern = await serve(['--tls-cert', 'both.pem']);
  expect(await presented(postern.url)).toContain('first');

  await write('both.pem', (await issue('second')).bundlePem);
  postern.signal('SIGHUP');
  expect(await postern.logged('listener.reloaded')).toMatchObject({ subject: 'CN=second' });
  expect(await presented(postern.url)).toContain('second');

  await write('both.pem', first.certPem + (await issue('third')).keyPem);
  postern.signal('SIGHUP');
  expect(await postern.logged('listener.kept')).toMatchObject({ code: 'key_mismatch', level: 'error' });
  expect(await presented(postern.url)).toContain('second');
});

test('what is wrong with the certificate ends the process before it listens', async () => {
  await write('both.pem', (await ca.issue({ cn: 'gateway', eku: 'client' })).bundlePem);
  const ran = await runPostern(['serve', '--port', '0', '--tls-cert', 'both.pem', '--json'], { cwd });
  expect(ran).toMatchObject({ code: 1, stdout: '' });
  expect(JSON.parse(ran.stderr)).toMatchObject({ error: { code: 'certificate_wrong_purpose' } });
});
