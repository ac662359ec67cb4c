import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { buildSecureContext } from '../../../adapters/node-compat/dialer/secure-context.ts';
import { Secret } from '../../../src/base/secret.ts';
import { identityOf, profileOf } from '../../support/open-test-profile.ts';
import { mintPki } from '../../support/pki.ts';

test('what OpenSSL does not take is refused by a code, without its words', async () => {
  const ca = await (await mintPki()).ca('root');
  const profile = await profileOf(identityOf(await ca.issue({ cn: 'client' })));
  const { keyPem } = await ca.issue({ cn: 'other' });
  if (!profile.identity) throw new Error('expected an identity');
  for (const privateKey of [new Secret(keyPem), new Secret('no key')]) {
    const build = () => buildSecureContext({ ...profile, identity: { ...profile.identity, privateKey } as never });
    expect(build).toThrow(expect.objectContaining({ code: 'capability_unsupported' }));
  }
});

test('a key no TLS 1.3 signature exists for is refused, since it would be left out of the handshake', async () => {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp256k1', '-keyout', '-', '-nodes'];
  const bundle = execFileSync('openssl', ['req', '-x509', ...key, '-subj', '/CN=coin', '-days', '2'], {
    stdio: 'pipe',
  }).toString();
  const building = profileOf({ clientCertificate: bundle }).then(buildSecureContext);
  // not every runtime reads such a key in the first place
  await expect(building).rejects.toMatchObject({
    code: expect.stringMatching(/^(capability_unsupported|key_unreadable)$/),
  });
});
