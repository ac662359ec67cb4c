import type * as library from '@peculiar/x509';

/** The X.509 library, as a type. */
export type X509 = typeof library;

/**
 * Loads the X.509 library on first use. It costs tens of milliseconds and about 24 MB, which a gateway without TLS
 * upstreams never pays; the runtime's module cache makes every later call free.
 */
export async function loadX509(): Promise<X509> {
  // The library's dependency injection looks for the Reflect metadata functions while it is evaluated.
  await import('reflect-metadata');
  return import('@peculiar/x509');
}
