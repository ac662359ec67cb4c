import { Redis } from 'ioredis';
import { Client } from 'pg';

/** The other end of what a store's clients hold, as the server's operator sees it. */
export interface StoreClients {
  /** Connections that listen to commits. */
  listening(): Promise<number>;
  /** All connections but this one. */
  count(): Promise<number>;
  killListening(): Promise<void>;
  close(): Promise<void>;
}

export function redisClients(url: string): StoreClients {
  const redis = new Redis(url);
  const list = async (filter: string): Promise<number> =>
    String(await redis.call('CLIENT', 'LIST', 'TYPE', filter))
      .split('\n')
      .filter(Boolean).length;
  return {
    listening: () => list('pubsub'),
    count: async () => (await list('pubsub')) + (await list('normal')) - 1,
    killListening: async () => void (await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub')),
    close: async () => redis.disconnect(),
  };
}

export async function postgresClients(url: string): Promise<StoreClients> {
  const client = new Client(url);
  client.on('error', () => {});
  await client.connect();
  const others = `FROM pg_stat_activity WHERE application_name = 'postern'`;
  // the last thing a connection that listens did is to look whether its server is there, or to begin
  const listening = `${others} AND (query LIKE 'LISTEN %' OR query = 'SELECT 1')`;
  const count = async (rows: string): Promise<number> =>
    Number((await client.query(`SELECT count(*) AS n ${rows}`)).rows[0].n);
  return {
    listening: () => count(listening),
    count: () => count(others),
    killListening: async () => void (await client.query(`SELECT pg_terminate_backend(pid) ${listening}`)),
    close: () => client.end(),
  };
}
