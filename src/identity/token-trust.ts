import { Secret } from '../base/secret.ts';
import type { FileReader, Platform } from '../platform.ts';
import type { ChannelCache } from '../tls/channel-cache.ts';
import { openProfile } from '../tls/open-profile.ts';
import type { TlsProfile } from '../tls/profile.ts';
import { ForeignIssuers } from './issuers/foreign-issuers.ts';
import { jsonFetcher } from './issuers/json-fetcher.ts';
import { isKeyText, openTokenKeys, settingText } from './token.ts';
import type { TokenKey, TokenSettings } from './token.ts';

export interface TrustSettings extends TokenSettings {
  readonly authRequired: boolean;
  readonly trustedIssuers: readonly string[];
  readonly issuerCa: string | undefined;
}

type TrustPlatform = Pick<Platform, 'clock' | 'events' | 'dialer' | 'openKey' | 'readSettingFile'>;

/** Whose signatures on tokens are believed, as files and settings say. */
export class TokenTrust {
  readonly #settings: TrustSettings;
  readonly #platform: TrustPlatform;
  /** Undefined where there are none. */
  readonly issuers: ForeignIssuers | undefined;
  /** What settings name, to be watched. */
  readonly files: readonly string[];
  #keys: readonly TokenKey[] = [];
  #profile: TlsProfile | undefined;

  private constructor(settings: TrustSettings, platform: TrustPlatform, channels: ChannelCache) {
    const { clock, events } = platform;
    const { trustedIssuers, jwtAudience: audience } = settings;
    this.#settings = settings;
    this.#platform = platform;
    const { jwtPrivateKeyPath, jwtPublicKeyPath, issuerCa } = settings;
    const named = [jwtPrivateKeyPath?.reveal(), jwtPublicKeyPath, this.#asksIssuers ? issuerCa : undefined];
    this.files = named.filter((path) => path !== undefined && !isKeyText(path)) as string[];
    const fetcher = jsonFetcher(channels, () => this.#issuerProfile);
    this.issuers = this.#asksIssuers
      ? new ForeignIssuers({ issuers: trustedIssuers, audience, fetcher, clock, events })
      : undefined;
  }

  /**
   * Reads keys and authorities; fetches nothing.
   *
   * @throws GatewayError config_invalid, key_unreadable, key_missing, file_refused, capability_unsupported, and the
   *   codes of certificate authorities
   */
  static async open(settings: TrustSettings, platform: TrustPlatform, channels: ChannelCache): Promise<TokenTrust> {
    const trust = new TokenTrust(settings, platform, channels);
    await trust.reread();
    return trust;
  }

  /** The keys of this gateway; empty where nobody is asked for tokens. */
  get keys(): readonly TokenKey[] {
    return this.#keys;
  }

  /** Reads everything again; true when anything is another. @throws GatewayError as `open`; then all stays as it was */
  async reread(): Promise<boolean> {
    if (!this.#settings.authRequired) return false;
    const { readSettingFile } = this.#platform;
    const { verifying } = await openTokenKeys(this.#settings, readSettingFile);
    const profile = this.#asksIssuers ? await this.#openProfile(readSettingFile) : undefined;
    const isSame =
      identityOf(verifying) === identityOf(this.#keys) && profile?.fingerprint === this.#profile?.fingerprint;
    if (isSame) return false;
    this.#keys = verifying;
    this.#profile = profile;
    return true;
  }

  get #asksIssuers(): boolean {
    return this.#settings.authRequired && this.#settings.trustedIssuers.length > 0;
  }

  get #issuerProfile(): TlsProfile {
    if (this.#profile === undefined) throw new Error('issuers are asked after everything was read');
    return this.#profile;
  }

  async #openProfile(readFile: FileReader | undefined): Promise<TlsProfile> {
    const { issuerCa } = this.#settings;
    const { clock, dialer, openKey } = this.#platform;
    const caCertificate = issuerCa === undefined ? undefined : await settingText(new Secret(issuerCa), readFile);
    return openProfile(caCertificate === undefined ? {} : { caCertificate, caMode: 'only' }, {
      openKey,
      nowMs: clock.nowMs(),
      capabilities: dialer.capabilities,
      bindings: dialer.bindings,
      allowInsecureTls: false,
    });
  }
}

/** A secret has neither name nor thumbprint, and changes with a restart only. */
const identityOf = (keys: readonly TokenKey[]): string =>
  JSON.stringify(keys.map(({ kid, thumbprint, algorithm }) => [kid, thumbprint, algorithm]));
