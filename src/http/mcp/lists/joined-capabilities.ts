import { asFields } from '../../../base/fields.ts';
import type { Fields } from '../../../base/fields.ts';
import { LISTING_CAPABILITY, LISTING_METHODS } from '../../../wire/mcp.ts';

/**
 * What a joined server declares: what its members can do, and that it tells of changes of its lists. Gateways come and
 * go while a caller is connected, so it has lists also while they are empty.
 */
export function joinedCapabilities(merged: Fields): Fields {
  const lists = new Set(LISTING_METHODS.map((method) => LISTING_CAPABILITY[method]));
  return {
    ...merged,
    ...Object.fromEntries([...lists].map((name) => [name, { ...asFields(merged[name]), listChanged: true }])),
  };
}
