import type { SecureContext } from 'node:tls';
import { GatewayError, LeasedCache } from '../../../src/index.ts';
import type { Clock, Dialer, EventSink, Lease, TlsProfile } from '../../../src/index.ts';
import type { Runtime } from '../runtime.ts';
import type { Connect } from '../channel/connection.ts';
import { UndiciChannel } from '../channel/undici-channel.ts';
import { createAddressGuard } from './address-guard.ts';
import { createConnect, type DialDeps, type TlsDial } from './dial.ts';
import { examine } from './examine.ts';
import { createRevocationCheck } from './revocation-check.ts';
import { connectToLook, explain, explaining } from './second-look.ts';
import { buildSecureContext } from './secure-context.ts';
import { createSessionKeeper, type SessionKeeper } from './session-keeper.ts';

export interface DialerOptions {
  readonly events: EventSink;
  readonly clock: Clock;
  /** Contexts no channel uses: how many are kept, and for how long (never expire when absent). */
  readonly contextCache: { readonly maxIdle: number; readonly ttlMs?: number | undefined };
  /** Milliseconds for DNS, TCP and TLS together; default 10,000. */
  readonly connectTimeoutMs?: number;
  /** Whether servers pass that revocation lists or OCSP say nothing current of; default closed. */
  readonly revocationFailure?: 'closed' | 'open';
  /** Milliseconds to response headers for requests that do not say; default 30 minutes, for slow tools; 0 is no limit. */
  readonly headersTimeoutMs?: number;
}

/**
 * Dials with `node:tls` and undici's HTTP/1.1. Proxies named in the environment are not used.
 *
 * @throws GatewayError capability_unsupported where this version of the runtime must not dial
 */
export function createDialer(runtime: Runtime, options: DialerOptions): Dialer {
  runtime.requireVersion?.();
  const { events, clock, connectTimeoutMs = 10_000, headersTimeoutMs = 1_800_000 } = options;
  const isOpen = options.revocationFailure === 'open';
  // OpenSSL has no way to take a list that is out of date for what it says
  const checksCrls = runtime.tls.checksCrls && !isOpen;
  const deps: DialDeps = { events, clock, connectTimeoutMs, guard: createAddressGuard() };
  const contexts = new LeasedCache<SecureContext>({
    ...options.contextCache,
    clock,
    // The garbage collector frees a context once no socket uses it.
    dispose: () => {},
    onUse: (outcome) => events('cache.used', { cache: 'context', outcome }),
  });

  return {
    name: runtime.name.toLowerCase(),
    capabilities: runtime.dialer,

    async open(profile, origin) {
      requireMatch(origin, profile);
      const context = profile && (await leaseContext(profile));
      const sessions = profile && createSessionKeeper(clock, profile.pins.length === 0);
      const tls = profile && context && sessions && tlsDial(origin, profile, context.value, sessions);
      return new UndiciChannel({
        origin,
        fingerprint: profile?.fingerprint,
        connect: connectTo(origin, tls),
        clock,
        headersTimeoutMs,
        forgetSessions: () => sessions?.forget(),
        onClosed: (cut) => {
          context?.release();
          events('channel.drained', { origin, cut });
        },
      });
    },

    async examine(profile, origin, signal) {
      requireMatch(origin, profile);
      const context = await leaseContext(profile);
      try {
        const dial = tlsDial(origin, profile, context.value, createSessionKeeper(clock, false));
        return await examine({
          profile,
          origin,
          signal,
          clock,
          connect: (onGlimpse) => createConnect(origin, dial, { ...deps, onGlimpse }),
          look: connectToLook(profile, origin, deps),
          ...(!runtime.tls.explainsVerification && { explain }),
        });
      } finally {
        context.release();
      }
    },

    async close() {
      contexts.close();
    },
  };

  function tlsDial(origin: string, profile: TlsProfile, context: SecureContext, sessions: SessionKeeper): TlsDial {
    const { completesChains } = runtime.tls;
    const { trust } = profile;
    const passed = () => events('revocation.passed', { side: 'upstream', peer: origin, why: 'no current list' });
    return {
      profile,
      context,
      sessions,
      ...(!checksCrls && { checkRevocation: createRevocationCheck(profile, clock, isOpen ? passed : undefined) }),
      ...(completesChains && trust.mode !== 'system' && { added: trust.anchors }),
    };
  }

  function connectTo(origin: string, tls: TlsDial | undefined): Connect {
    const connect = createConnect(origin, tls, deps);
    if (!tls?.profile.verify || runtime.tls.explainsVerification) return connect;
    return explaining(connect, tls.profile, connectToLook(tls.profile, origin, deps), clock);
  }

  function leaseContext(profile: TlsProfile): Promise<Lease<SecureContext>> {
    const { fingerprint } = profile;
    return contexts.lease(fingerprint, async () => {
      const startedMs = clock.monotonicMs();
      const context = buildSecureContext(checksCrls ? profile : { ...profile, crls: [] });
      events('context.built', { fingerprint, durationMs: clock.monotonicMs() - startedMs });
      return context;
    });
  }
}

function requireMatch(origin: string, profile: TlsProfile | undefined): void {
  const url = new URL(origin);
  const isTls = url.protocol === 'https:';
  if (url.origin === origin && isTls === (profile !== undefined)) return;
  throw new GatewayError(
    'config_invalid',
    `expected an https: origin with a TLS profile or an http: origin without, met ${origin}`,
  );
}
