/**
 * vault: what is secret at rest, and proof that records are ours.
 *
 * Owns the vault keys, sealing, record authentication and their rotation. Must not know what a record means, where
 * keys are kept, or what a sealed text is used for. Sealed values are compact JWE, `dir` with A256GCM; the protected
 * header names the key (`kid`) and what the value belongs to (`ctx`), so that a value cannot be moved.
 */
import { CompactEncrypt, compactDecrypt, decodeProtectedHeader } from 'jose';
import { fromBase64, fromUtf8, toBase64Url, utf8 } from '../base/bytes.ts';
import { GatewayError } from '../base/errors.ts';
import { Secret } from '../base/secret.ts';
import { SingleFlight } from '../base/single-flight.ts';
import type { RecordMac, RecordSealer } from '../store/sealer.ts';
import type { Keyring, VaultKey } from './keyring.ts';
import { isVaultKid } from './vault-keys.ts';

/** A secret field of a record body: recognisable by shape wherever it stands. */
export interface Sealed {
  /** Compact JWE; its context is `fieldContext` of the place where it stands. */
  readonly sealed: string;
}

export interface VaultOptions {
  /** Asked once when a key id is not at hand, for keys that were added since; single-flight. */
  readonly reload?: () => Promise<Keyring>;
}

/** Seals and authenticates under the primary key, opens and checks under any key at hand. */
export class Vault implements RecordSealer {
  #keyring: Keyring;
  readonly #reload: (() => Promise<Keyring>) | undefined;
  readonly #reloading = new SingleFlight<Keyring>();

  constructor(keyring: Keyring, options: VaultOptions = {}) {
    this.#keyring = keyring;
    this.#reload = options.reload;
  }

  /** The key that seals from now on. */
  get primaryKid(): string {
    return this.#keyring.primary.kid;
  }

  /** Every key id at hand, the primary first. */
  get kids(): readonly string[] {
    return this.#keyring.kids;
  }

  /** Replaces all keys at once; work under way finishes with the keys it began with. */
  use(keyring: Keyring): void {
    this.#keyring = keyring;
  }

  /** Seals under the primary key; the value opens in this context only. */
  async seal(plaintext: Secret, context: string): Promise<string> {
    return this.#encrypt(plaintext.reveal(), context);
  }

  /** @throws GatewayError vault_key_unknown, vault_open_failed */
  async open(sealed: string, context: string): Promise<Secret> {
    return new Secret(await this.#decrypt(sealed, context));
  }

  /** Seals claims into a token that opens for this purpose only; says nothing about when it expires. */
  async sealToken(claims: object, purpose: string): Promise<string> {
    return this.#encrypt(JSON.stringify(claims), tokenContext(purpose));
  }

  /** @throws GatewayError vault_key_unknown, vault_open_failed */
  async openToken(token: string, purpose: string): Promise<Record<string, unknown>> {
    // authentic, so it is the object sealToken was given
    return JSON.parse(await this.#decrypt(token, tokenContext(purpose))) as Record<string, unknown>;
  }

  async mac(data: Uint8Array<ArrayBuffer>): Promise<RecordMac> {
    const { kid, mac } = this.#keyring.primary;
    const tag = await crypto.subtle.sign('HMAC', mac, data);
    return { kid, tag: toBase64Url(new Uint8Array(tag)) };
  }

  async verifyMac(data: Uint8Array<ArrayBuffer>, { kid, tag }: RecordMac, record: string): Promise<boolean> {
    if (!isVaultKid(kid) || !MAC_TAG.test(tag)) return false;
    const key = await this.#find(kid, record);
    return crypto.subtle.verify('HMAC', key.mac, fromBase64(tag), data);
  }

  async #encrypt(plaintext: string, ctx: string): Promise<string> {
    const { kid, sealing } = this.#keyring.primary;
    return new CompactEncrypt(utf8(plaintext))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid, ctx })
      .encrypt(sealing);
  }

  async #decrypt(sealed: string, context: string): Promise<string> {
    const header = readHeader(sealed);
    if (header === undefined) throw openFailed(context, 'it is not a sealed value');
    if (header.ctx !== context) throw openFailed(context, 'it was sealed for another place');
    const key = await this.#find(header.kid, context);
    try {
      const { plaintext } = await compactDecrypt(sealed, key.sealing, ALGORITHMS);
      return fromUtf8(plaintext);
    } catch {
      throw openFailed(context, `key ${header.kid} does not open it`);
    }
  }

  async #find(kid: string, context: string): Promise<VaultKey> {
    const known = this.#keyring.find(kid);
    if (known !== undefined) return known;
    let cause: unknown;
    try {
      const added = (await this.#reloaded())?.find(kid);
      if (added !== undefined) return added;
    } catch (error) {
      cause = error;
    }
    throw new GatewayError('vault_key_unknown', `${context} needs vault key ${kid}, which is not at hand`, {
      hint: 'add the key to POSTERN_VAULT_KEYS or to the vault key file; it may follow the primary',
      details: { context, kid },
      cause,
    });
  }

  async #reloaded(): Promise<Keyring | undefined> {
    if (this.#reload === undefined) return undefined;
    const keyring = await this.#reloading.run('', this.#reload);
    this.use(keyring);
    return keyring;
  }
}

/** The key id and context a sealed value names, not yet authenticated; undefined when it is no sealed value. */
export function readHeader(sealed: string): { readonly kid: string; readonly ctx: string } | undefined {
  if (!COMPACT_JWE.test(sealed)) return undefined;
  try {
    const { alg, enc, kid, ctx } = decodeProtectedHeader(sealed);
    const ours = alg === 'dir' && enc === 'A256GCM' && typeof kid === 'string' && isVaultKid(kid);
    return ours && typeof ctx === 'string' ? { kid, ctx } : undefined;
  } catch {
    return undefined;
  }
}

const ALGORITHMS = { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] };

/** Direct encryption: the encrypted key is empty, https://www.rfc-editor.org/rfc/rfc7518#section-4.5 */
const COMPACT_JWE = /^[\w-]+\.\.[\w-]+\.[\w-]*\.[\w-]+$/;

/** The 32 bytes of HMAC-SHA-256 as base64url. */
const MAC_TAG = /^[\w-]{43}$/;

/** No record kind is called token, so a token never opens as a field, nor a field as a token. */
const tokenContext = (purpose: string): string => `token:${purpose}`;

const openFailed = (context: string, reason: string): GatewayError =>
  new GatewayError('vault_open_failed', `${context} cannot be opened: ${reason}`, {
    hint: 'restore the value from a backup or set it again',
    details: { context },
  });
