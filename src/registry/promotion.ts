import { GatewayError } from '../base/errors.ts';
import type { Secret } from '../base/secret.ts';
import type { Vault } from '../vault/vault.ts';
import { refuseOnHttp } from './apply-tls.ts';
import { materialName } from './gateway-profiles.ts';
import type { GatewayDraft, GatewayRecord, GatewayTls, RetiringIdentity } from './gateway-record.ts';
import { openTlsSides } from './gateway-secrets.ts';
import { namedFiles } from './named-files.ts';
import { openGateway } from './open-gateway.ts';
import type { OpenGatewayOptions } from './open-gateway.ts';
import { isSame } from './same-config.ts';
import type { ReadableGateway } from './snapshot.ts';

/**
 * A gateway whose next identity is the current one. What was current retires: it is believed still, so that the server
 * may move when it likes, and what retired before is gone.
 *
 * @throws GatewayError nothing_to_promote, vault_key_unknown, vault_open_failed
 */
export async function promoted(record: GatewayRecord, vault: Vault): Promise<GatewayDraft> {
  const { tls } = await openTlsSides({ ...record, previous: undefined }, vault);
  const { next, retiring: _, ...current } = tls;
  if (next === undefined)
    throw new GatewayError('nothing_to_promote', `the gateway ${record.slug} has no next identity`, {
      hint: 'PUT it as next first: client_cert, client_key, ca_certificate',
    });
  const { caCertificate, ...identity } = next;
  const movesIdentity = Object.values(identity).some((value) => value !== undefined);
  const movesTrust = caCertificate !== undefined;
  const retiring = {
    ...(movesIdentity && identityOf(current)),
    ...(movesTrust && trustOf(current)),
  };
  return {
    ...record,
    tls: {
      ...current,
      ...(movesIdentity && identityOf(identity)),
      ...(movesTrust && { caCertificate }),
      retiring: Object.values(retiring).some((value) => value !== undefined) ? retiring : undefined,
    },
  };
}

const identityOf = ({ clientCert, clientKey, clientKeyPassword, clientBinding }: GatewayTls<Secret>) => ({
  clientCert,
  clientKey,
  clientKeyPassword,
  clientBinding,
});

function trustOf({
  caCertificate,
}: GatewayTls<Secret>): Pick<RetiringIdentity<Secret>, 'caCertificate' | 'defaultSet'> {
  return caCertificate === undefined ? { defaultSet: true } : { caCertificate };
}

/** A gateway without its retiring identity, which is believed no more. @throws GatewayError nothing_to_retire */
export function retired(record: GatewayRecord): GatewayDraft {
  if (record.tls.retiring === undefined)
    throw new GatewayError('nothing_to_retire', `the gateway ${record.slug} has no retiring identity`, {
      hint: 'an identity retires when the next one is promoted',
    });
  return { ...record, tls: { ...record.tls, retiring: undefined } };
}

/** Whether all that another instance did was to retire an identity: trust that is withdrawn waits for no server. */
export function isRetirement(before: GatewayRecord, after: GatewayRecord): boolean {
  return before.tls.retiring !== undefined && isSame({ ...before.tls, retiring: undefined }, after.tls);
}

/**
 * A gateway whose TLS side is what it was before its last change; the address and how we log in stay. Of files the
 * record has the paths alone, so it is refused where going back to them would not bring back what was.
 *
 * @throws GatewayError nothing_to_roll_back, files_not_kept, vault_key_unknown, vault_open_failed, file_refused and every
 * config code
 */
export async function rolledBack(
  { record, profiles }: ReadableGateway,
  options: OpenGatewayOptions,
): Promise<GatewayDraft> {
  const files = namedFiles(record);
  const { material: written } = record;
  const isAsWritten = profiles === undefined || written === undefined || written === materialName(profiles.main);
  if (files.length > 0 && !isAsWritten) throw filesNotKept(`the last change of ${record.slug} was in its files`, files);
  const { previous } = await openTlsSides(record, options.vault);
  if (previous === undefined && files.length > 0)
    throw filesNotKept(`nothing is kept of what the files of ${record.slug} held before`, files);
  if (previous === undefined)
    throw new GatewayError('nothing_to_roll_back', `the TLS side of ${record.slug} was never changed`);
  const { tls, material } = previous;
  if (record.url?.startsWith('http:')) refuseOnHttp(tls);
  const draft = { ...record, tls };
  const formerFiles = namedFiles(draft);
  if (formerFiles.length > 0 && material !== undefined) {
    const opened = await openGateway(draft, options);
    if (materialName(opened.profiles?.main) !== material)
      throw filesNotKept('the files named before hold something else now', formerFiles);
  }
  return draft;
}

function filesNotKept(message: string, files: readonly string[]): GatewayError {
  return new GatewayError('files_not_kept', message, {
    hint: 'put the former files back: they are read again at a rotation; or PUT what is to be in force',
    details: { files },
  });
}
