import { fitting } from '../identity/who.ts';
import type { Texts } from '../identity/who.ts';
import type { PolicyRule, What } from './document.ts';

/** What is listed and called. Templates go by the rules of resources. */
export type ItemKind = 'tools' | 'prompts' | 'resources';

/** What a decision was taken by. */
export interface Verdict {
  readonly allowed: boolean;
  /** The name of the rule that decided; undefined where none allows. */
  readonly rule: string | undefined;
}

/** What may be had of a gateway at an address. */
export type Share = 'all' | 'nothing' | ((kind: ItemKind, nameOrUri: string) => boolean);

/** One rule, ready to be asked. */
interface Part {
  readonly name: string;
  /** Whether it is about an address, a gateway there, and something of that gateway; what is not given is not asked. */
  covers(address: string, gateway?: string, kind?: ItemKind, nameOrUri?: string): boolean;
  /** Whether it speaks of some items only. */
  readonly isAboutItems: boolean;
  /** Whether it speaks of some gateways or items only. */
  readonly isPartial: boolean;
  coversAdmin(action: string): boolean;
}

/** The rules that apply to a caller. What denies wins; what no rule allows is denied. */
export class RuleSet {
  /** The same for callers to whom the same applies, also in another policy. */
  readonly id: string;
  /** In the order of the policy. */
  readonly names: readonly string[];
  readonly #allows: readonly Part[];
  readonly #denies: readonly Part[];

  constructor(rules: readonly PolicyRule[]) {
    this.id = JSON.stringify(rules);
    this.names = rules.map(({ name }) => name);
    this.#allows = rules.flatMap(({ name, allow }) => (allow ? [partOf(name, allow)] : []));
    this.#denies = rules.flatMap(({ name, deny }) => (deny ? [partOf(name, deny)] : []));
  }

  /** May an address be used behind which there is nothing: only what is about the whole of it tells. */
  address(address: string): Verdict {
    const isAbout = (part: Part) => !part.isPartial && part.covers(address);
    return verdict(this.#denies.find(isAbout), this.#allows.find(isAbout));
  }

  /** May something of a gateway be had at an address; without an item, whether anything of it could be. */
  item(address: string, gateway: string, kind?: ItemKind, nameOrUri?: string): Verdict {
    const isAbout = (part: Part) => part.covers(address, gateway, kind, nameOrUri);
    return verdict(
      this.#denies.find((part) => isAbout(part) && !(kind === undefined && part.isAboutItems)),
      this.#allows.find(isAbout),
    );
  }

  /** What may be had of a gateway at an address. */
  share(address: string, gateway: string): Share {
    if (!this.item(address, gateway).allowed) return 'nothing';
    const isAbout = (part: Part) => part.covers(address, gateway);
    const isWhole = this.#allows.some((part) => isAbout(part) && !part.isAboutItems) && !this.#denies.some(isAbout);
    return isWhole ? 'all' : (kind, nameOrUri) => this.item(address, gateway, kind, nameOrUri).allowed;
  }

  /** @param action an AdminAction */
  admin(action: string): Verdict {
    const isAbout = (part: Part) => part.coversAdmin(action);
    return verdict(this.#denies.find(isAbout), this.#allows.find(isAbout));
  }
}

const verdict = (denies: Part | undefined, allows: Part | undefined): Verdict =>
  denies ? { allowed: false, rule: denies.name } : { allowed: allows !== undefined, rule: allows?.name };

const anything = (): boolean => true;

function partOf(name: string, { servers, gateways, tools, prompts, resources, admin }: What): Part {
  const isAt = fittingOr(servers);
  const isOf = fittingOr(gateways);
  const isAboutItems = [tools, prompts, resources].some((texts) => texts !== undefined);
  const none: readonly string[] = [];
  const items = isAboutItems
    ? { tools: fitting(tools ?? none), prompts: fitting(prompts ?? none), resources: fitting(resources ?? none) }
    : { tools: anything, prompts: anything, resources: anything };
  const isPartial = isAboutItems || gateways !== undefined;
  const isAboutMcp = isPartial || servers !== undefined;
  return {
    name,
    isAboutItems,
    isPartial,
    covers: (address, gateway, kind, nameOrUri = '') =>
      isAboutMcp &&
      isAt(address) &&
      (gateway === undefined || isOf(gateway)) &&
      (kind === undefined || items[kind](nameOrUri)),
    coversAdmin: fitting(admin ?? none),
  };
}

const fittingOr = (texts: Texts | undefined): ((value: string) => boolean) =>
  texts === undefined ? anything : fitting(texts);
