import { isInNetwork, parseNetwork } from '../../base/networks.ts';
import type { Network } from '../../base/networks.ts';
import type { CertificateCallers } from '../certificate-callers.ts';
import type { CallerConnection } from '../credentials.ts';

/** Proxies on this machine. */
export const LOOPBACK_NETWORKS: readonly string[] = ['127.0.0.0/8', '::1'];

/** Before the subject of a proxy that is known by its certificate. */
const BY_CERTIFICATE = 'cert:';

/** Whether an entry of POSTERN_TRUSTED_PROXIES says something. */
export function isProxyEntry(entry: string): boolean {
  return isCertificateEntry(entry) ? entry.length > BY_CERTIFICATE.length : parseNetwork(entry) !== undefined;
}

/** Whether an entry names a proxy by its certificate. */
export const isCertificateEntry = (entry: string): boolean => entry.startsWith(BY_CERTIFICATE);

/** Knows which connections come from a proxy that is listed; each address is looked up once per connection. */
export class TrustedProxies {
  readonly #networks: readonly Network[];
  readonly #subjects: ReadonlySet<string>;
  readonly #certificates: CertificateCallers;
  readonly #byAddress = new WeakMap<CallerConnection, boolean>();

  /** @param entries networks, addresses, and `cert:` with the subject of a certificate the listener verified */
  constructor(entries: readonly string[], certificates: CertificateCallers) {
    this.#networks = entries.flatMap((entry) => parseNetwork(entry) ?? []);
    const named = entries.filter(isCertificateEntry);
    this.#subjects = new Set(named.map((entry) => entry.slice(BY_CERTIFICATE.length)));
    this.#certificates = certificates;
  }

  /** Never throws or rejects; a promise only for the first request of a connection. */
  has(connection: CallerConnection): boolean | Promise<boolean> {
    if (this.#isNear(connection)) return true;
    if (this.#subjects.size === 0 || connection.chain.length === 0) return false;
    try {
      const caller = this.#certificates.callerOf(connection);
      if (!(caller instanceof Promise)) return this.#subjects.has(caller.principal.subject);
      return caller.then(({ principal }) => this.#subjects.has(principal.subject)).catch(() => false);
    } catch {
      return false;
    }
  }

  #isNear(connection: CallerConnection): boolean {
    const { address } = connection;
    if (address === undefined || this.#networks.length === 0) return false;
    let isNear = this.#byAddress.get(connection);
    if (isNear === undefined) {
      isNear = this.#networks.some((network) => isInNetwork(address, network));
      this.#byAddress.set(connection, isNear);
    }
    return isNear;
  }
}
