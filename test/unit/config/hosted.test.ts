import { expect, test } from 'vitest';
import { parseConfig } from '../../../src/config.ts';
import { refuseUnsupported, requireGiven } from '../../../src/config/hosted.ts';
import type { SettingsHost } from '../../../src/config/hosted.ts';
import { makeKeys } from '../../support/gateway.ts';

const HOST: SettingsHost = {
  name: 'the platform',
  unsupported: { drainTimeoutSeconds: 'shutdown' },
  source: 'in its settings',
  hint: 'give them there',
};

test('what would count for nothing is refused, all of it at once and by what it asks for', () => {
  expect(() => refuseUnsupported({ PORT: '1', CERT_FILE: '', OTHER: 'x' }, HOST)).not.toThrow();
  const asked = { CERT_FILE: 'x', KEY_FILE: 'x', POSTERN_CONFIG: 'x', POSTERN_DRAIN_TIMEOUT: '5' };
  const named = 'CERT_FILE (listener), KEY_FILE (listener), POSTERN_CONFIG (files), POSTERN_DRAIN_TIMEOUT (shutdown)';
  expect(() => refuseUnsupported(asked, HOST)).toThrow(
    expect.objectContaining({
      code: 'capability_unsupported',
      message: `the platform cannot honour ${named}`,
      details: { capabilities: ['listener', 'files', 'shutdown'] },
    }),
  );
});

test('store and keys have to be there, and what is missing is named', () => {
  const { vaultKeys, jwtSecretKey } = makeKeys();
  const { values } = parseConfig({ environment: { JWT_SECRET_KEY: jwtSecretKey.reveal() } });
  expect(() => requireGiven(values, HOST)).toThrow(
    expect.objectContaining({
      code: 'config_invalid',
      message: 'expected POSTERN_STORAGE, POSTERN_VAULT_KEYS in its settings, met nothing',
      hint: 'give them there',
    }),
  );
  const { values: whole } = parseConfig({
    environment: {
      JWT_SECRET_KEY: jwtSecretKey.reveal(),
      POSTERN_VAULT_KEYS: vaultKeys.reveal(),
      POSTERN_STORAGE: 'memory:',
    },
  });
  expect(requireGiven(whole, HOST)).toEqual(whole);
});

test('limits by address are refused where nobody says where a caller is, and no others', () => {
  const asking = (limits: string) => () => refuseUnsupported({ POSTERN_LIMITS: limits }, HOST);
  expect(asking('subject=1/minute')).not.toThrow();
  expect(asking('no limits at all')).not.toThrow();
  for (const limits of ['subject+address=1/minute', 'failures=1/minute'])
    expect(asking(limits)).toThrow('the platform cannot honour POSTERN_LIMITS (peerAddress)');
});
