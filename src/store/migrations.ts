import { GatewayError } from '../base/errors.ts';
import type { RecordKind } from './keys.ts';

/** Turns a body of schema `n` into one of schema `n + 1`; pure. */
export type Migration = (body: unknown) => unknown;

/** Per kind, the steps from schema 1 to today's, in order; a kind without steps is at schema 1. */
export type Migrations = { readonly [Kind in RecordKind]?: readonly Migration[] };

/** The schema this version writes. */
export function currentSchema(migrations: Migrations, kind: RecordKind): number {
  return (migrations[kind]?.length ?? 0) + 1;
}

/**
 * A body of schema `schema`, brought to today's.
 *
 * @throws GatewayError record_newer when the body was written by a later version than this one
 */
export function migrateBody(
  migrations: Migrations,
  kind: RecordKind,
  schema: number,
  body: unknown,
  key: string,
): unknown {
  const current = currentSchema(migrations, kind);
  if (schema > current)
    throw new GatewayError('record_newer', `${key} has schema ${schema}, this version knows ${current} and earlier`, {
      hint: 'run the version of postern that wrote it, or a later one',
      details: { record: key, schema, known: current },
    });
  return (migrations[kind] ?? []).slice(schema - 1).reduce((migrated, step) => step(migrated), body);
}
