/** The status of the listener's certificate is fetched ahead and shown in handshakes, which never wait for it. */
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ocspAnswer } from '../../src/pki/ocsp-answer.ts';
import { closeAfterEach } from '../support/closing.ts';
import { type OcspResponder, startOcspResponder } from '../support/ocsp-responder.ts';
import { type MintedCa, type MintedCertificate, mintPki } from '../support/pki.ts';
import { servePostern, type ServingPostern } from '../support/postern.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

const closing = closeAfterEach();
const names = { cn: 'localhost', dns: ['localhost'] };
let ca: MintedCa;
let responder: OcspResponder;
beforeAll(async () => {
  ca = await (await mintPki()).ca('CA');
  responder = await startOcspResponder(ca);
});
afterAll(() => responder.close());

async function serve(shown: MintedCertificate) {
  const folder = await makeTempFolder();
  const present = ({ certPem, keyPem }: MintedCertificate) =>
    writeFile(`${folder.path}/both.pem`, certPem + ca.pem + keyPem, { mode: 0o600 });
  await present(shown);
  const env = { POSTERN_OCSP: 'staple' };
  const postern = await servePostern(['--tls-cert', 'both.pem'], { cwd: folder.path, env });
  closing.push(
    () => folder.remove(),
    () => postern.kill(),
  );
  return { postern, present };
}

/** What a client that asks for it is shown: the serial number of the certificate, and the response. */
const shownBy = ({ url }: ServingPostern) =>
  new Promise<{ serialNumber: string | undefined; staple: Buffer | undefined }>((resolve, reject) => {
    const port = Number(new URL(url).port);
    const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca: ca.pem, requestOCSP: true });
    let staple: Buffer | undefined;
    socket.once('OCSPResponse', (response: Buffer | null) => (staple = response ?? undefined));
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      const serialNumber = socket.getPeerX509Certificate()?.serialNumber.toLowerCase();
      socket.destroy();
      resolve({ serialNumber, staple });
    });
  });
const says = async (postern: ServingPostern, { certificate }: MintedCertificate) => {
  const { staple } = await shownBy(postern);
  return staple && ocspAnswer(staple, certificate, ca.certificate, Date.now());
};

test('the first handshake shows it, later ones the next, and another certificate its own', async () => {
  const [first, second] = [await responder.issue(names), await responder.issue(names)];
  responder.sayShortly(first);
  const { postern, present } = await serve(first);
  expect((await says(postern, first))?.status).toBe('good');
  const later = Math.floor(Date.now() / 1000 + 3_600) * 1000;
  responder.say(first, { nextUpdate: new Date(later) });
  await until(async () => (await says(postern, first))?.nextUpdateMs === later);

  await present(second);
  postern.signal('SIGHUP');
  await until(async () => (await shownBy(postern)).serialNumber === second.serialNumber);
  expect((await says(postern, second))?.status).toBe('good');
});

test('a certificate is shown without where there is none, which is said', async () => {
  const shown = await responder.issue({ ...names, mustStaple: true });
  responder.say(shown, () => 500);
  const { postern } = await serve(shown);
  expect(await shownBy(postern)).toEqual({ serialNumber: shown.serialNumber, staple: undefined });
  expect(await postern.logged('revocation.failing')).toMatchObject({
    kind: 'staple',
    code: 'ocsp_unavailable',
    message: expect.stringContaining('clients must refuse it without a staple') as string,
  });
});

test('a responder that is silent holds up neither the start for long nor any handshake', async () => {
  const shown = await responder.issue(names);
  responder.say(shown, () => undefined);
  const { postern } = await serve(shown);
  const startedAt = performance.now();
  expect((await shownBy(postern)).staple).toBeUndefined();
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});
