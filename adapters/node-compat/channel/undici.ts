/**
 * What a channel needs of undici, by its files: the index loads five times as much, a tenth of the start, and Bun takes
 * the bare name for a module of its own. package.json holds undici to the minor version that has these files.
 */
import type * as undici from 'undici/index.js';
// @ts-expect-error the declarations of the package are for its index
import client from 'undici/lib/dispatcher/client.js';
// @ts-expect-error as above
import pool from 'undici/lib/dispatcher/pool.js';

/** One connection at a time to an origin. */
export const Client = client as typeof undici.Client;

/** Clients of one origin. */
export const Pool = pool as typeof undici.Pool;
