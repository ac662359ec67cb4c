import { equalInConstantTime } from '../base/bytes.ts';
import type { Secret } from '../base/secret.ts';
import type { UpstreamConfig } from '../upstream/upstream-config.ts';

/** Whether two configurations reach an upstream in the same way, so that what serves one can serve the other. */
export function isSameConfig(a: UpstreamConfig, b: UpstreamConfig): boolean {
  return (
    a.name === b.name &&
    a.protocolEra === b.protocolEra &&
    a.requestTimeoutMs === b.requestTimeoutMs &&
    a.profile?.fingerprint === b.profile?.fingerprint &&
    a.passthroughHeaders.join() === b.passthroughHeaders.join() &&
    isSameTarget(a.target, b.target)
  );
}

type Target = UpstreamConfig['target'];

function isSameTarget(a: Target, b: Target): boolean {
  if (a.kind === 'http' && b.kind === 'http')
    return (
      a.url.href === b.url.href &&
      a.transport === b.transport &&
      isSameSecrets(a.credentials.headers, b.credentials.headers) &&
      isSameSecrets(a.credentials.query, b.credentials.query)
    );
  return (
    a.kind === 'stdio' &&
    b.kind === 'stdio' &&
    a.command === b.command &&
    JSON.stringify(a.args) === JSON.stringify(b.args) &&
    a.cwd === b.cwd &&
    isSameSecrets(a.env, b.env)
  );
}

function isSameSecrets(a: Readonly<Record<string, Secret>>, b: Readonly<Record<string, Secret>>): boolean {
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => {
      const [left, right] = [a[name], b[name]];
      return left !== undefined && right !== undefined && equalInConstantTime(left.reveal(), right.reveal());
    })
  );
}
