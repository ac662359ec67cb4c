import type { Secret } from '../base/secret.ts';
import { keyOf } from '../store/keys.ts';
import { fieldContext } from '../vault/sealed-fields.ts';
import type { Sealed, Vault } from '../vault/vault.ts';
import { isFile } from './gateway-record.ts';
import type { GatewayAuth, GatewayConfig, GatewayDraft, GatewayIdentity, GatewayTls } from './gateway-record.ts';

/** The same configuration with every secret put through `change`; the one place that knows where secrets are. */
async function mapSecrets<From extends object, To>(
  config: GatewayConfig<From>,
  change: (secret: From, context: string) => Promise<To>,
): Promise<GatewayConfig<To>> {
  const at = (...path: string[]) => fieldContext(keyOf('gateway', config.id), path);
  const { auth, tls, program, previous } = config;
  return {
    ...config,
    program: program && {
      ...program,
      env: await mapValues(program.env, (secret, name) => change(secret, at('program', 'env', name))),
    },
    auth: await mapAuth(auth, (secret, ...path) => change(secret, at('auth', ...path))),
    tls: await mapTls(tls, (secret, ...path) => change(secret, at('tls', ...path))),
    previous: previous && {
      ...previous,
      tls: await mapTls(previous.tls, (secret, ...path) => change(secret, at('previous', 'tls', ...path))),
    },
  };
}

type Change<From, To> = (secret: From, ...path: string[]) => Promise<To>;

async function mapAuth<From, To>(auth: GatewayAuth<From>, change: Change<From, To>): Promise<GatewayAuth<To>> {
  switch (auth.type) {
    case 'none':
      return auth;
    case 'basic':
      return { ...auth, password: await change(auth.password, 'password') };
    case 'bearer':
      return { ...auth, token: await change(auth.token, 'token') };
    case 'authheaders': {
      const headers = await mapValues(auth.headers, (value, key) => change(value, 'headers', key));
      return { ...auth, headers };
    }
    case 'query_param':
      return { ...auth, value: await change(auth.value, 'value') };
  }
}

async function mapValues<From, To>(
  values: Readonly<Record<string, From>>,
  change: (value: From, name: string) => Promise<To>,
): Promise<Readonly<Record<string, To>>> {
  const entries = Object.entries(values).map(async ([name, value]) => [name, await change(value, name)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

async function mapTls<From extends object, To>(
  { next, retiring, ...current }: GatewayTls<From>,
  change: Change<From, To>,
): Promise<GatewayTls<To>> {
  const below =
    (name: string): Change<From, To> =>
    (secret, ...path) =>
      change(secret, name, ...path);
  return {
    ...(await mapIdentity(current, change)),
    next: next && (await mapIdentity(next, below('next'))),
    retiring: retiring && (await mapIdentity(retiring, below('retiring'))),
  };
}

async function mapIdentity<From extends object, To, Rest extends object>(
  { clientKey, clientKeyPassword, ...rest }: Rest & Pick<GatewayIdentity<From>, 'clientKey' | 'clientKeyPassword'>,
  change: Change<From, To>,
) {
  return {
    ...rest,
    clientKey: clientKey && (isFile(clientKey) ? clientKey : await change(clientKey, 'clientKey')),
    clientKeyPassword: clientKeyPassword && (await change(clientKeyPassword, 'clientKeyPassword')),
  };
}

/** A draft ready to be stored: new secrets sealed, the others left as they are. */
export function sealDraft(draft: GatewayDraft, vault: Vault): Promise<GatewayConfig<Sealed>> {
  return mapSecrets<Secret | Sealed, Sealed>(draft, async (secret, context) =>
    'sealed' in secret ? secret : { sealed: await vault.seal(secret, context) },
  );
}

/**
 * The TLS sides of a gateway, as they are and as they were, with every secret in the open: sealed for its place, a
 * secret is opened before it moves to another. @throws GatewayError vault_key_unknown, vault_open_failed
 */
export async function openTlsSides(
  config: GatewayDraft,
  vault: Vault,
): Promise<Pick<GatewayConfig<Secret>, 'tls' | 'previous'>> {
  return openSecrets({ ...config, auth: { type: 'none' }, program: undefined }, vault);
}

/** A draft or a record with every secret in the open. @throws GatewayError vault_key_unknown, vault_open_failed */
export function openSecrets(config: GatewayDraft, vault: Vault): Promise<GatewayConfig<Secret>> {
  return mapSecrets<Secret | Sealed, Secret>(config, (secret, context) =>
    'sealed' in secret ? vault.open(secret.sealed, context) : Promise.resolve(secret),
  );
}
