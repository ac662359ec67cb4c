import { GatewayError } from '../base/errors.ts';
import type { StdioDeps } from '../upstream/ways.ts';
import type { UpstreamConfig } from '../upstream/upstream-config.ts';
import type { Vault } from '../vault/vault.ts';
import { openProfiles } from './gateway-profiles.ts';
import type { GatewayProfiles, OpenProfilesOptions } from './gateway-profiles.ts';
import type { GatewayDraft } from './gateway-record.ts';
import { openSecrets } from './gateway-secrets.ts';
import { openTarget } from './open-target.ts';

/** What opening a gateway takes. */
export interface OpenGatewayOptions extends OpenProfilesOptions {
  readonly vault: Vault;
  /** Undefined where no programs can be started. */
  readonly stdio?: StdioDeps | undefined;
  /** POSTERN_REQUIRE_TLS */
  readonly requireTls?: boolean;
}

/** A gateway ready to be dialled. */
export interface OpenedGateway {
  readonly config: UpstreamConfig;
  /** Undefined where no TLS is spoken. */
  readonly profiles: GatewayProfiles | undefined;
}

/**
 * Opens the secrets of a gateway, reads its files and builds the TLS profile: everything that can be known without
 * dialling is checked here.
 *
 * @throws GatewayError vault_key_unknown, vault_open_failed, file_refused and every config code
 */
export async function openGateway(draft: GatewayDraft, options: OpenGatewayOptions): Promise<OpenedGateway> {
  const opened = await openSecrets({ ...draft, previous: undefined }, options.vault);
  const target = await openTarget(opened, options.stdio);
  if (options.requireTls) refusePlaintext(target);
  const speaksTls = target.kind === 'http' && target.url.protocol === 'https:';
  const profiles = speaksTls ? await openProfiles(opened.tls, options) : undefined;
  const profile = profiles?.main;
  const config: UpstreamConfig = {
    id: opened.id,
    slug: opened.slug,
    name: opened.name,
    target,
    profile,
    protocolEra: opened.protocolEra ?? 'auto',
    requestTimeoutMs: opened.requestTimeoutSeconds === undefined ? undefined : opened.requestTimeoutSeconds * 1000,
    passthroughHeaders: opened.passthroughHeaders,
    insecureTls: profile !== undefined && !(profile.verify && profile.checkHostname),
  };
  return { config, profiles };
}

/** @throws GatewayError url_refused */
function refusePlaintext(target: UpstreamConfig['target']): void {
  if (target.kind !== 'http' || target.url.protocol === 'https:') return;
  throw new GatewayError('url_refused', 'expected an https URL, met http: plain text is refused here', {
    hint: 'POSTERN_REQUIRE_TLS is true: give the https URL of the server',
  });
}
