import { GatewayError } from '../base/errors.ts';
import type { Secret } from '../base/secret.ts';
import type { GrowingFile, Platform } from '../platform.ts';
import type { RecordStore } from '../store/records.ts';
import { openProfile } from '../tls/open-profile.ts';
import type { Vault } from '../vault/vault.ts';
import { AnchorRecords } from './anchor-records.ts';
import { textHash } from './audit-line.ts';
import { AuditTrail } from './audit-trail.ts';
import { ChainWriter } from './chain-writer.ts';
import { HttpSink } from './http-sink.ts';

/** What was configured. */
export interface AuditOptions {
  /** `file:PATH`, or an address to post to. */
  readonly target: string;
  readonly token: Secret | undefined;
  readonly failClosed: boolean;
}

/**
 * A trail that records from now on what is reported to the platform's hub.
 *
 * @throws GatewayError audit_unavailable, capability_unsupported where there are no files
 */
export async function openAudit(
  { target, token, failClosed }: AuditOptions,
  platform: Platform,
  { records, vault }: { readonly records: RecordStore; readonly vault: Vault },
): Promise<AuditTrail> {
  const { clock, events, instanceName: instance, sha256: hashOf = textHash } = platform;
  const sink = target.startsWith('file:')
    ? fileOf(target.slice('file:'.length), platform)
    : await collectorAt(new URL(target), token, platform);
  const anchors = new AnchorRecords(records);
  const writer = new ChainWriter({ sink, anchors, vault, clock, hashOf, instance });
  const trail = new AuditTrail({ sink, writer, clock, events, failClosed });
  await trail.begin();
  events.attach(trail.events);
  return trail;
}

function fileOf(path: string, { growingFile }: Platform): GrowingFile {
  if (growingFile) return growingFile(path);
  throw new GatewayError('capability_unsupported', 'there are no files here to keep records of audit in', {
    hint: 'name an https: address in POSTERN_AUDIT',
  });
}

async function collectorAt(
  url: URL,
  token: Secret | undefined,
  { dialer, openKey, clock }: Platform,
): Promise<HttpSink> {
  const { capabilities } = dialer;
  const options = { openKey, nowMs: clock.nowMs(), capabilities, allowInsecureTls: false };
  const profile = url.protocol === 'https:' ? await openProfile({}, options) : undefined;
  return new HttpSink({ url, token, dialer, profile });
}
