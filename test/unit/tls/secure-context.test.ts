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
