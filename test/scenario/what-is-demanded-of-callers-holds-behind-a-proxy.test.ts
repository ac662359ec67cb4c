/** A gateway in plain text behind a proxy that hands certificates on: their names go by the rules, and pins rotate live. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import { mintPki } from '../support/pki.ts';
import type { MintedCertificate } from '../support/pki.ts';
import { runPostern, servePostern } from '../support/postern.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

const closing = closeAfterEach();

test('rules, pins and authorities', async () => {
  const folder = await makeTempFolder();
  closing.push(folder.remove);
  const cwd = folder.path;
  const write = (name: string, text: string) => writeFile(join(cwd, name), text);
  const pki = await mintPki();
  const [ours, partners] = [await pki.ca('Ours'), await pki.ca('Partners CA')];
  const ann = await ours.issue({ cn: 'ann' });
  const partner = await partners.issue({ cn: 'partner', dns: ['app.partner.example'] });
  const impostor = await partners.issue({ cn: 'ann' });
  const pinOf = ({ certificate }: MintedCertificate) => `sha256/${certificate.facts.spkiPin}\n`;
  await write('callers.pem', ours.pem + partners.pem);
  await write('pins', [ann, partner, impostor].map(pinOf).join(''));
  const env = {
    TRUST_PROXY_AUTH: 'true',
    PROXY_USER_HEADER: 'X-SSL-Client-Cert',
    CA_CERTS: 'callers.pem',
    POSTERN_CLIENT_SUBJECT: 'Partners CA/dns=*.partner.example, cn',
    POSTERN_CLIENT_PINS: 'pins',
  };
  const postern = await servePostern([], { cwd, env });
  closing.push(() => postern.kill());
  const who = async ({ certPem }: MintedCertificate): Promise<string> => {
    const headers = { 'X-SSL-Client-Cert': encodeURIComponent(certPem), 'X-SSL-Client-Verify': 'SUCCESS' };
    const answer = await fetch(`${postern.url}/v1/gateways`, { headers });
    const { message } = (await answer.json()) as { message: string };
    return `${answer.status} ${message}`;
  };
  expect(await who(ann)).toContain('403 ann has role user');
  expect(await who(partner)).toContain('403 app.partner.example has role user');
  expect(await who(impostor)).toContain('401 the client certificate names no caller: no rule');

  await write('pins', pinOf(partner));
  postern.signal('SIGHUP');
  await expect
    .poll(() => who(ann))
    .toContain('401 the X-SSL-Client-Cert header of the proxy comes with a certificate of');
  expect(await who(partner)).toContain('403 app.partner.example');

  // what cannot be used changes nothing
  await write('pins', '');
  postern.signal('SIGHUP');
  expect(await postern.logged('listener.kept')).toMatchObject({ code: 'pin_invalid' });
  expect(await who(ann)).toContain('401');
  expect(await who(partner)).toContain('403 app.partner.example');
});

test('a rule about an authority that is not there is found before anything listens', async () => {
  const folder = await makeTempFolder();
  closing.push(folder.remove);
  await writeFile(join(folder.path, 'callers.pem'), (await (await mintPki()).ca('Ours')).pem);
  const env = { TRUST_PROXY_AUTH: 'true', CA_CERTS: 'callers.pem', POSTERN_CLIENT_SUBJECT: 'Partners CA/dns' };
  for (const args of [
    ['serve', '--port', '0'],
    ['config', 'check'],
  ]) {
    const { code, stderr } = await runPostern(args, { cwd: folder.path, env });
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('names the authority Partners CA, which is not in CA_CERTS'),
    ]);
  }
});
