/**
 * catalog: what a caller sees as one server, and which upstream each name leads to.
 *
 * Owns virtual servers, routing and merged listings. Must not know HTTP, sessions or how an upstream is dialled.
 */
import type { Upstream } from '../upstream/upstream.ts';
import type { Target } from '../wire/mcp.ts';

/** One upstream in a virtual server, and what goes before its tool and prompt names there. */
export interface Member {
  readonly prefix: string;
  readonly upstream: Upstream;
}

/** One MCP address: a single upstream as it is, or several joined by prefix. */
export interface VirtualServer {
  /** Stable name of the address; sessions are bound to it. */
  readonly key: string;
  readonly members: readonly Member[];
  /** True when messages pass through untouched: one upstream, no prefix. */
  readonly transparent: boolean;
}

/** An entry of the registry, as far as the catalog needs it. */
export interface Source {
  readonly id: string;
  readonly prefix: string;
  readonly upstream: Upstream;
}

/** One upstream under its own names. */
export function singleServer({ id, upstream }: Source): VirtualServer {
  return { key: id, members: [{ prefix: '', upstream }], transparent: true };
}

/** Everything at once: each source's names under its prefix, also while it is the only one. */
export function joinedServer(sources: readonly Source[]): VirtualServer {
  return { key: '*', members: sources.map(({ prefix, upstream }) => ({ prefix, upstream })), transparent: false };
}

/** Where a request goes, and the name the upstream knows its target by. */
export interface Route {
  readonly member: Member;
  /** Present when the upstream's name differs from the one the caller used. */
  readonly upstreamName?: string;
}

/**
 * The member that owns a target; undefined when none does.
 *
 * Names go by prefix: where several prefixes match, to the member that lists the name, else to the longest. URIs go to
 * the first member that lists the resource, else to the first with a matching template, else to the first that has
 * resources at all: servers may read what they do not list.
 */
export function routeOf(server: VirtualServer, target: Target): Route | undefined {
  const [first] = server.members;
  if (first === undefined) return undefined;
  if (server.transparent) return { member: first };
  if (target.by === 'none') return undefined;
  if (target.by === 'name') return routeByName(server.members, target.value);
  const owner =
    server.members.find((member) => lists(member, target.value)) ??
    server.members.find((member) => hasTemplateFor(member, target.value)) ??
    server.members.find((member) => hasResources(member));
  return owner && { member: owner };
}

function routeByName(members: readonly Member[], name: string): Route | undefined {
  const candidates = members
    .filter((member) => name.startsWith(member.prefix))
    .toSorted((a, b) => b.prefix.length - a.prefix.length);
  const known =
    candidates.length > 1 ? candidates.find((member) => names(member, name.slice(member.prefix.length))) : undefined;
  const member = known ?? candidates[0];
  if (member === undefined) return undefined;
  return member.prefix === '' ? { member } : { member, upstreamName: name.slice(member.prefix.length) };
}

const listing = (member: Member) => member.upstream.facts?.listing;

function names(member: Member, name: string): boolean {
  const known = listing(member);
  return known !== undefined && [...known.tools, ...known.prompts].some((item) => item['name'] === name);
}

function lists(member: Member, uri: string): boolean {
  return listing(member)?.resources.some((resource) => resource['uri'] === uri) ?? false;
}

function hasTemplateFor(member: Member, uri: string): boolean {
  return listing(member)?.resourceTemplates.some((template) => matchesTemplate(template['uriTemplate'], uri)) ?? false;
}

function hasResources(member: Member): boolean {
  const facts = member.upstream.facts;
  const capabilities = facts?.modern?.capabilities ?? facts?.legacy?.capabilities;
  return capabilities?.['resources'] !== undefined;
}

/**
 * Whether a URI may come from a template: its literal parts appear in order, with something between them.
 *
 * Expressions are not parsed: an over-match only means that the upstream answers «not found» itself.
 * @see https://www.rfc-editor.org/rfc/rfc6570
 */
export function matchesTemplate(template: unknown, uri: string): boolean {
  if (typeof template !== 'string') return false;
  const literals = template.split(/\{[^{}]*\}/);
  const [head = '', ...rest] = literals;
  const tail = rest.pop();
  if (tail === undefined) return uri === head;
  if (!uri.startsWith(head) || !uri.endsWith(tail) || uri.length < head.length + tail.length) return false;
  let position = head.length;
  for (const literal of rest) {
    const found = uri.indexOf(literal, position);
    if (found < 0 || found + literal.length > uri.length - tail.length) return false;
    position = found + literal.length;
  }
  return true;
}
