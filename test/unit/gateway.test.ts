import { expect, test } from 'vitest';
import { createPlatform } from '../../adapters/node-compat/platform.ts';
import { NODE } from '../../adapters/node/runtime.ts';
import { createEventHub } from '../../src/base/events.ts';
import { Secret } from '../../src/base/secret.ts';
import { parseConfig } from '../../src/config.ts';
import { createGateway } from '../../src/gateway.ts';

test('a gateway that cannot start lets go of its platform', async () => {
  const { values } = parseConfig({ environment: { POSTERN_VAULT_KEYS: 'no key at all' } });
  const config = { ...values, storage: new Secret('memory:'), jwtSecretKey: new Secret('s'.repeat(40)) };
  const platform = await createPlatform(NODE, config, createEventHub());
  const closed: string[] = [];
  const storage = { ...platform.storage, close: async () => void closed.push('storage') };
  const dialer = { ...platform.dialer, close: async () => void closed.push('dialer') };
  const starting = createGateway(config, { ...platform, storage, dialer });
  await expect(starting).rejects.toMatchObject({ code: 'vault_key_invalid' });
  expect(closed).toEqual(['dialer', 'storage']);
});
