import type { SettingValues } from './settings.ts';

/** Between the port of the gateway and the one its health is found at where callers need a certificate. */
const HEALTH_OFFSET = 1000;

/**
 * Where health has a plain listener of its own: where it was told to, and always where callers must show a certificate,
 * since probes have none. 0 picks a port.
 */
export function healthPortOf({
  healthPort,
  clientAuth,
  port,
}: Pick<SettingValues, 'healthPort' | 'clientAuth' | 'port'>): number | undefined {
  if (healthPort !== undefined || clientAuth !== 'required') return healthPort;
  return port === 0 ? 0 : port + HEALTH_OFFSET;
}
