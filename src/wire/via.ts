/** The header in which gateways name themselves, in lower case. @see https://www.rfc-editor.org/rfc/rfc9110#section-7.6.3 */
export const VIA = 'via';

/** What every gateway of this kind is called in Via, before what tells one from another. */
const PRODUCT_PREFIX = 'postern-';
/** Gateways behind gateways are few; more than this is a circle of gateways that do not know themselves. */
const MAX_GATEWAYS = 8;

/** How a gateway calls itself; `tag` is common to its replicas and to nobody else. */
export const viaName = (tag: string): string => PRODUCT_PREFIX + tag.replaceAll(/[^A-Za-z0-9]/g, '').slice(0, 12);

/** A Via header after it passed the gateway `name`. */
export function viaThrough(given: string | undefined, name: string): string {
  return given === undefined || given === '' ? `1.1 ${name}` : `${given}, 1.1 ${name}`;
}

/** Whether a request went in a circle: through the gateway `name` already, or through too many others. */
export function hasLooped(via: string | null, name: string): boolean {
  if (via === null) return false;
  const gateways = via.split(',').flatMap((entry) => entry.trim().split(/\s+/)[1] ?? []);
  return gateways.includes(name) || gateways.filter((by) => by.startsWith(PRODUCT_PREFIX)).length >= MAX_GATEWAYS;
}
