import type { GatewayLabels, RecordHistory } from '../registry/gateway-record.ts';

/** Which gateways a virtual server takes, and what of them it shows. Lists hold names or patterns, see base/patterns.ts. */
export interface MemberRule {
  /** A slug, or a pattern on slugs. */
  readonly gateway: string;
  /** The gateway must have one of these; absent means whatever it has. */
  readonly tags?: readonly string[];
  /** Absent: none where the rule names the server's only gateway, else the gateway's own. */
  readonly prefix?: string;
  /** What is shown; absent means everything. */
  readonly tools?: readonly string[];
  readonly prompts?: readonly string[];
  /** By URI or template. */
  readonly resources?: readonly string[];
  /** What is not shown, whatever the lists above say. */
  readonly denyTools?: readonly string[];
  readonly denyPrompts?: readonly string[];
  readonly denyResources?: readonly string[];
  /** Tools that have a name of their own here, by that name. */
  readonly aliases?: Readonly<Record<string, string>>;
}

/** What is kept for people and scripts, and decides nothing. */
export interface ServerLabels extends Omit<GatewayLabels, 'signingAlgorithm'> {
  readonly icon?: string | undefined;
}

/** What a virtual server says of callers' certificates. */
export const SERVER_CLIENT_AUTH = ['none', 'optional', 'required'] as const;
export type ServerClientAuth = (typeof SERVER_CLIENT_AUTH)[number];

/** A virtual server while it is being made or changed. */
export interface ServerDraft {
  readonly id: string;
  /** Made of the name at the start; a new name does not change it, since clients have it in their addresses. */
  readonly slug: string;
  readonly name: string;
  readonly description?: string | undefined;
  readonly enabled: boolean;
  readonly clientAuth?: ServerClientAuth | undefined;
  /** A gateway belongs to the first rule that matches it. */
  readonly members: readonly MemberRule[];
  readonly labels: ServerLabels;
}

/** A virtual server as it is stored. */
export interface ServerRecord extends ServerDraft {
  readonly history: RecordHistory;
}
