import type { Texts, Who } from '../identity/who.ts';

/** What a rule is about. Of MCP all that is said must hold; administration is apart from it. */
export interface What {
  /** Addresses: the slug of a virtual server or gateway, or `/mcp`. */
  readonly servers?: Texts;
  /** Upstreams, by slug. */
  readonly gateways?: Texts;
  /** As their upstream names them; where one of these three is given, the others are not meant. */
  readonly tools?: Texts;
  readonly prompts?: Texts;
  /** By URI or URI template. */
  readonly resources?: Texts;
  readonly admin?: Texts;
}

/** One rule: it allows or denies, never both. */
export interface PolicyRule {
  readonly name: string;
  /** Absent: everyone who was recognised. */
  readonly who?: Who;
  readonly allow?: What;
  readonly deny?: What;
}

/** Who may do what, as people write it; without rules everyone recognised may use MCP and admins may administrate. */
export interface PolicyDocument {
  readonly rules: readonly PolicyRule[];
  /** How much; these take the place of POSTERN_LIMITS. */
  readonly limits?: readonly object[];
}
