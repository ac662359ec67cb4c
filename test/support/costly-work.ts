import nodeCrypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import tls from 'node:tls';
import { sha256 } from '@noble/hashes/sha2.js';
import { vi } from 'vitest';

/** How often this process did, since it was asked to count, what a warm call has no reason to do. */
export interface CostlyWork {
  /** By function, those never called left out. */
  counts(): Readonly<Record<string, number>>;
  /** Begins at zero again. */
  reset(): void;
  stop(): void;
}

const SUBTLE = ['decrypt', 'encrypt', 'digest', 'sign', 'verify', 'importKey', 'deriveKey', 'deriveBits'] as const;
const NODE_CRYPTO = ['createHash', 'createHmac', 'createDecipheriv', 'createPrivateKey', 'createPublicKey'] as const;

/** The object in the chain of prototypes that has a method of its own. */
function ownerOf(value: object, method: string): object {
  for (let at: object | null = value; at !== null; at = Object.getPrototypeOf(at) as object | null)
    if (Object.hasOwn(at, method)) return at;
  throw new Error(`expected a method ${method}`);
}

// what a spied method takes and gives does not matter for counting
const spyOn = (target: object, method: string) => vi.spyOn(target as Record<string, () => unknown>, method);

/** Counts hashing, encryption, keys and TLS contexts, by spies that still do the work; stop it in the end. */
export function watchCostlyWork(): CostlyWork {
  const spies = new Map([
    ...SUBTLE.map((name) => [`subtle.${name}`, spyOn(crypto.subtle, name)] as const),
    ...NODE_CRYPTO.map((name) => [name, spyOn(nodeCrypto, name)] as const),
    ['createSecureContext', spyOn(tls, 'createSecureContext')],
    ['sha256', spyOn(ownerOf(sha256.create(), 'update'), 'update')],
  ]);
  // named imports of built-in modules are copies until they are told
  syncBuiltinESMExports();
  return {
    counts: () =>
      Object.fromEntries(
        [...spies].flatMap(([name, { mock }]) => (mock.calls.length > 0 ? [[name, mock.calls.length]] : [])),
      ),
    reset() {
      for (const spy of spies.values()) spy.mockClear();
    },
    stop() {
      for (const spy of spies.values()) spy.mockRestore();
      syncBuiltinESMExports();
    },
  };
}
