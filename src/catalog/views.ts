import type { Exposure } from './exposure.ts';
import type { Member } from './member.ts';
import type { Narrowing } from './narrowing.ts';
import { serverOf } from './virtual-server.ts';
import type { VirtualServer } from './virtual-server.ts';

/** Views of servers: the same address with less in it. Made when first asked for; gone with the server. */
export class Views {
  readonly #made = new WeakMap<VirtualServer, WeakMap<Narrowing, VirtualServer>>();

  /** A server as those see it who may have a part of it: itself where that is everything, undefined where nothing is left. */
  of(whole: VirtualServer, by: Narrowing): VirtualServer | undefined {
    const known = this.#made.get(whole) ?? new WeakMap<Narrowing, VirtualServer>();
    this.#made.set(whole, known);
    const made = known.get(by);
    if (made !== undefined) return made;
    const view = viewOf(whole, by);
    // what is not there is worked out each time: it is no caller's hot path
    if (view !== undefined) known.set(by, view);
    return view;
  }

  /** The view of what stands at an address now that `view` was of what stood there. */
  again(view: VirtualServer, now: (key: string) => VirtualServer | undefined): VirtualServer | undefined {
    if (view.narrowed === undefined) return now(view.key);
    const whole = this.again(view.narrowed.whole, now);
    return whole && this.of(whole, view.narrowed.by);
  }
}

/** What a view is a view of in the end. */
export const wholeOf = (server: VirtualServer): VirtualServer =>
  server.narrowed === undefined ? server : wholeOf(server.narrowed.whole);

/** What tells views of one address apart. */
export const viewId = ({ key, narrowed }: VirtualServer): string =>
  narrowed === undefined ? key : `${viewId(narrowed.whole)} ${narrowed.by.id}`;

function viewOf(whole: VirtualServer, by: Narrowing): VirtualServer | undefined {
  const { key, address, clientAuth } = whole;
  const members = whole.members.flatMap((member) => memberFor(member, by.share(address, member.upstream.config.slug)));
  if (members.length === 0 && (whole.members.length > 0 || !by.address(address).allowed)) return undefined;
  const isWhole = members.length === whole.members.length && members.every((member) => whole.members.includes(member));
  // a message that nobody looks into could be for what is kept back
  return isWhole ? whole : serverOf({ key, address, members, clientAuth, transparent: false, narrowed: { whole, by } });
}

function memberFor(member: Member, share: ReturnType<Narrowing['share']>): readonly Member[] {
  if (share === 'nothing') return [];
  return [share === 'all' ? member : { ...member, exposure: narrowedExposure(member.exposure, share) }];
}

/** What both show; a tool is asked for by its own name, whatever it is called here. */
function narrowedExposure(own: Exposure | undefined, shows: Exposure['shows']): Exposure {
  const aliases = [...(own?.aliases ?? [])];
  const withheld = new Set(aliases.filter(([, tool]) => !shows('tools', tool)).map(([alias]) => alias));
  return {
    shows: (kind, nameOrUri) => shows(kind, nameOrUri) && (own === undefined || own.shows(kind, nameOrUri)),
    aliases: new Map(aliases.filter(([alias]) => !withheld.has(alias))),
    withheld: new Set([...(own?.withheld ?? []), ...withheld]),
  };
}
