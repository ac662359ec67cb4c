/**
 * import: files that describe MCP servers for other programs, as gateways and virtual servers of ours.
 *
 * Owns the formats and what becomes of each entry: one parser per format, one model for all. Pure: variables and inputs
 * are looked up through functions handed in. Must not know where a file came from, nor how gateways are registered.
 */
import type { Fields } from '../base/fields.ts';

/** Why an entry cannot be imported as it is. Messages never hold a value of the file. */
export interface Problem {
  /**
   * `variable`, `input` and `secret` can be supplied; a `command` must be allowed by whoever runs the gateway; a
   * `gateway` must be there before the virtual server that takes it; `unsupported` does not work here, and `invalid`
   * nowhere.
   */
  readonly kind: 'variable' | 'input' | 'secret' | 'command' | 'gateway' | 'unsupported' | 'invalid';
  /** What is missing or refused: a variable, an id for --input, a field. */
  readonly name: string;
  readonly message: string;
}

/** What a parser has to say of an entry while it reads it. */
export interface Findings {
  readonly problems: Problem[];
  /** What differs from the file, or is not carried over, in words. */
  readonly changes: string[];
}

/** A gateway a file describes. */
export interface ImportedGateway {
  readonly kind: 'gateway';
  /** Its name in the file. */
  readonly source: string;
  /** Its slug where it came from, if it is not the one its name makes. */
  readonly slug?: string;
  /** The body of its registration, as far as it is known; secrets are Hidden. */
  readonly body: Fields & { readonly name: string };
  /** False where the file says that it is switched off. */
  readonly enabled: boolean;
  readonly problems: readonly Problem[];
  readonly changes: readonly string[];
}

/** A virtual server a file describes. */
export interface ImportedServer {
  readonly kind: 'server';
  readonly source: string;
  /** The body of its creation, without `members`. */
  readonly body: Fields & { readonly name: string };
  readonly members: readonly ImportedMember[];
  readonly enabled: boolean;
  readonly problems: readonly Problem[];
  readonly changes: readonly string[];
}

/** What a virtual server takes of a gateway. */
export interface ImportedMember {
  /** The gateway's slug where it came from, or a pattern on slugs. */
  readonly gateway: string;
  /** Rules in our own form. */
  readonly rule: Fields;
  /** Tools by the slug of their name, from a program that keeps nothing else. */
  readonly toolSlugs?: readonly string[];
}

/** An entry of a file. */
export type ImportedEntry = ImportedGateway | ImportedServer;

/** What of a file becomes nothing. */
export interface LeftOut {
  readonly what: string;
  readonly count: number;
  readonly because: string;
}

/** A file, read. */
export interface ImportFile {
  /** The name of its format, for people. */
  readonly format: string;
  readonly entries: readonly ImportedEntry[];
  readonly leftOut: readonly LeftOut[];
}

/** Nothing found yet. */
export function noFindings(): Findings {
  return { problems: [], changes: [] };
}
