/**
 * In place of @peculiar/x509, a third of the bundle: no certificate comes near this code, since every field that would
 * bring one is refused (`requireCapabilities`) before anything of it is read. wrangler.toml puts it there.
 */
import { GatewayError } from '../../src/index.ts';

function unread(): never {
  throw new GatewayError('capability_unsupported', 'certificates are the business of the platform on Workers');
}

export { unread as PublicKey, unread as X509Certificate, unread as X509Crl };
