import type { Clock } from '../base/clock.ts';
import { Secret } from '../base/secret.ts';
import { parseCertificates } from '../pki/parse.ts';
import type { FileReader } from '../platform.ts';
import { openProfile } from '../tls/open-profile.ts';
import type { OpenProfileOptions } from '../tls/open-profile.ts';
import type { TlsMaterial, TlsProfile } from '../tls/profile.ts';
import type { StdioDeps } from '../upstream/ways.ts';
import type { UpstreamConfig } from '../upstream/upstream-config.ts';
import type { Vault } from '../vault/vault.ts';
import { isFile, openSecrets } from './gateway-record.ts';
import type { GatewayConfig, GatewayDraft, GatewayIdentity, KeySource, PemSource } from './gateway-record.ts';
import { openTarget } from './open-target.ts';

/** What opening a gateway takes. */
export interface OpenGatewayOptions extends Omit<OpenProfileOptions, 'nowMs'> {
  readonly vault: Vault;
  readonly readFile: FileReader;
  readonly clock: Clock;
  /** Undefined where no programs can be started. */
  readonly stdio?: StdioDeps | undefined;
}

/** A gateway ready to be dialled. */
export interface OpenedGateway {
  readonly config: UpstreamConfig;
  /** What the profile will be with the identity to come. */
  readonly nextProfile: TlsProfile | undefined;
}

/**
 * Opens the secrets of a gateway, reads its files and builds the TLS profile: everything that can be known without
 * dialling is checked here.
 *
 * @throws GatewayError vault_key_unknown, vault_open_failed, file_refused and every config code
 */
export async function openGateway(draft: GatewayDraft, options: OpenGatewayOptions): Promise<OpenedGateway> {
  const opened = await openSecrets(draft, options.vault);
  const target = await openTarget(opened, options.stdio);
  const material = await materialOf(opened, options.readFile);
  const nowMs = options.clock.nowMs();
  const speaksTls = target.kind === 'http' && target.url.protocol === 'https:';
  const profile = speaksTls ? await openProfile(material, { ...options, nowMs }) : undefined;
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
  return { config, nextProfile: profile && (await openNext(opened, material, options)) };
}

async function materialOf({ tls }: GatewayConfig<Secret>, readFile: FileReader): Promise<TlsMaterial> {
  return {
    ...(await identityOf(tls, readFile)),
    caCertificate: await textOf(tls.caCertificate, readFile),
    caMode: tls.caMode,
    serverName: tls.serverName,
    checkHostname: tls.checkHostname,
    verify: tls.verify,
    minVersion: tls.minTlsVersion,
    crl: await textOf(tls.crl, readFile),
    pins: tls.pins,
  };
}

async function identityOf(
  { clientCert, clientKey, clientKeyPassword }: GatewayIdentity<Secret>,
  readFile: FileReader,
): Promise<Pick<TlsMaterial, 'clientCertificate' | 'clientKey' | 'clientKeyPassword'>> {
  return {
    clientCertificate: await textOf(clientCert, readFile),
    clientKey: await keyOf(clientKey, readFile),
    clientKeyPassword,
  };
}

async function textOf(source: PemSource | undefined, readFile: FileReader): Promise<string | undefined> {
  return source && (isFile(source) ? readFile(source.file) : source.pem);
}

async function keyOf(source: KeySource<Secret> | undefined, readFile: FileReader): Promise<Secret | undefined> {
  return source && (isFile(source) ? new Secret(await readFile(source.file)) : source);
}

/** An identity to come may begin in the future, so it is checked as of its first moment. */
async function openNext(
  { tls: { next } }: GatewayConfig<Secret>,
  material: TlsMaterial,
  options: OpenGatewayOptions,
): Promise<TlsProfile | undefined> {
  if (next === undefined) return undefined;
  const identity = await identityOf(next, options.readFile);
  const caCertificate = (await textOf(next.caCertificate, options.readFile)) ?? material.caCertificate;
  const [leaf] =
    identity.clientCertificate === undefined
      ? []
      : await parseCertificates(identity.clientCertificate, 'certificate_unreadable');
  const nowMs = Math.max(options.clock.nowMs(), leaf === undefined ? 0 : Date.parse(leaf.facts.notBefore));
  const changesIdentity = Object.values(identity).some((value) => value !== undefined);
  const nextMaterial = { ...material, ...(changesIdentity && identity), caCertificate };
  return openProfile(nextMaterial, { ...options, nowMs });
}
