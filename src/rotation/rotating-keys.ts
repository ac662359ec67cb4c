import type { Keyring } from '../vault/keyring.ts';
import type { Vault } from '../vault/vault.ts';
import type { RotationParticipant } from './participant.ts';

/** The vault keys: with everything, those that are configured now are taken up. */
export function rotatingKeys(vault: Vault, readKeyring: () => Promise<Keyring>): RotationParticipant {
  return {
    name: 'vault keys',
    async apply({ scope }) {
      // a key that is missing is asked for when it is met
      if (scope !== 'all') return false;
      const before = vault.kids.join();
      vault.use(await readKeyring());
      return vault.kids.join() !== before;
    },
    problems: () => [],
    files: () => [],
  };
}
