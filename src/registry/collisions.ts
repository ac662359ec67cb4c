import { GatewayError } from '../base/errors.ts';
import type { Fields } from '../base/fields.ts';
import type { Listing } from '../upstream/facts.ts';

/** What must not clash between gateways. */
export interface PublishedNames {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly prefix: string;
  /** Undefined while it was never reached: then its names are not known. */
  readonly listing: Listing | undefined;
}

/**
 * Refuses a gateway whose name, slug, prefix or published names another one has.
 *
 * @throws GatewayError name_taken
 */
export function refuseCollisions(candidate: PublishedNames, all: Iterable<PublishedNames>): void {
  for (const other of all) if (other.id !== candidate.id) refuseCollision(candidate, other);
}

function refuseCollision(candidate: PublishedNames, other: PublishedNames): void {
  const details = { gateway: other.slug };
  if (candidate.name === other.name)
    throw new GatewayError('name_taken', `the name is taken by the gateway ${other.slug}`, {
      hint: 'choose another name, or update that gateway',
      details,
    });
  if (candidate.slug === other.slug) throw slugTaken(candidate.slug, 'another gateway', details);
  if (candidate.prefix === other.prefix && candidate.prefix !== '')
    throw new GatewayError('name_taken', `the prefix ${candidate.prefix} is taken by the gateway ${other.slug}`, {
      hint: 'choose another prefix',
      details,
    });
  const name = sharedName(candidate, other);
  if (name !== undefined)
    throw new GatewayError('name_taken', `${name} would be a tool or prompt of both this gateway and ${other.slug}`, {
      hint: 'choose a prefix that keeps their names apart',
      details: { ...details, name },
    });
}

/** Refuses a name whose slug `holder` has. */
export function slugTaken(slug: string, holder: string, details: Fields = {}): GatewayError {
  return new GatewayError('name_taken', `the slug ${slug} is taken by ${holder}`, {
    hint: 'a slug is made of the name: choose one that differs in letters or digits',
    details,
  });
}

/** A tool or prompt name both publish; possible only where one prefix begins with the other. */
function sharedName(a: PublishedNames, b: PublishedNames): string | undefined {
  const [longer, shorter] = a.prefix.length >= b.prefix.length ? [a, b] : [b, a];
  if (!longer.prefix.startsWith(shorter.prefix) || longer.listing === undefined || shorter.listing === undefined)
    return undefined;
  const rest = longer.prefix.slice(shorter.prefix.length);
  for (const kind of ['tools', 'prompts'] as const) {
    const names = new Set(shorter.listing[kind].map((item) => item['name']));
    const shared = longer.listing[kind].find((item) => names.has(`${rest}${String(item['name'])}`));
    if (shared !== undefined) return longer.prefix + String(shared['name']);
  }
  return undefined;
}
