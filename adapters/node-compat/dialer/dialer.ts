import type { SecureContext } from 'node:tls';
import { fetchOver, GatewayError, LeasedCache, OcspClient, OcspGuard } from '../../../src/index.ts';
import type { Clock, Dialer, EventSink, Lease, OcspRefusal, PeerChain, TlsProfile } from '../../../src/index.ts';
import type { Runtime } from '../runtime.ts';
import type { Connect } from '../channel/connection.ts';
import { UndiciChannel } from '../channel/undici-channel.ts';
import { createAddressGuard } from './address-guard.ts';
import { createConnect, type DialDeps, type TlsDial } from './dial.ts';
import { examine } from './examine.ts';
import { createPeerCheck, type OcspUse } from './peer-check.ts';
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

  const dialer: Dialer = {
    name: runtime.name.toLowerCase(),
    capabilities: runtime.dialer,

    async open(profile, origin) {
      requireMatch(origin, profile);
      const context = profile && (await leaseContext(profile));
      // a resumed handshake shows nothing that could be pinned or asked about
      const sessions = profile && createSessionKeeper(clock, profile.pins.length === 0 && !profile.ocsp);
      const onRefused = (peer: PeerChain, refusal: OcspRefusal): void => {
        const count = channel.cut([peer], withdrawn(refusal));
        if (count.connections > 0) events('upstream.refused', { origin, ...count, why: refusal.why });
      };
      const tls = profile && context && sessions && tlsDial(origin, profile, context.value, sessions, onRefused);
      const channel = new UndiciChannel({
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
      return channel;
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
  const guard = new OcspGuard({
    client: new OcspClient({ fetchBytes: fetchOver(dialer, clock), clock, events }),
    failure: isOpen ? 'open' : 'closed',
    side: 'upstream',
    clock,
    events,
  });
  return dialer;

  function tlsDial(
    origin: string,
    profile: TlsProfile,
    context: SecureContext,
    sessions: SessionKeeper,
    onRefused?: OcspUse['onRefused'],
  ): TlsDial {
    const { completesChains } = runtime.tls;
    const { trust } = profile;
    const passed = () => events('revocation.passed', { side: 'upstream', peer: origin, why: 'no current list' });
    const lists = checksCrls ? undefined : createRevocationCheck(profile, clock, isOpen ? passed : undefined);
    const anchors = trust.mode === 'system' ? [] : trust.anchors;
    const ocsp = profile.ocsp && profile.verify ? { guard, name: origin, anchors, onRefused } : undefined;
    return {
      profile,
      context,
      sessions,
      checkPeer: createPeerCheck(lists, ocsp),
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

function withdrawn({ why, message }: OcspRefusal): GatewayError {
  return new GatewayError('identity_withdrawn', `the connection was cut: ${message}`, {
    hint: 'the request may have been carried out; sent again it goes over a new connection, where the server is judged anew',
    details: { why },
  });
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
