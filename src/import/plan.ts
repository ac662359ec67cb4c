import type { Fields } from '../base/fields.ts';
import { slugOf } from '../base/ids.ts';
import { canonicalJson } from '../store/canonical-json.ts';
import { plainText, revealed, shownText } from './hidden.ts';
import type { ImportedEntry, ImportedGateway, ImportedServer, Problem } from './imported-entry.ts';
import { NameBook } from './name-book.ts';
import type { Registered } from './name-book.ts';
import { rulesOf } from './own-export.ts';
import { saysTheSame } from './same-fields.ts';

/** What becomes of an entry. */
export type ImportStatus = 'imported' | 'replaced' | 'unchanged' | 'exists' | 'missing' | 'refused';

/** An entry, and what is to be done about it. */
export interface PlannedEntry {
  readonly entry: ImportedEntry;
  readonly status: ImportStatus;
  /** The name it gets, and the slug that follows from it. */
  readonly name: string;
  readonly slug: string;
  /** What is registered under this name. */
  readonly registered: Registered | undefined;
  readonly problems: readonly Problem[];
  readonly changes: readonly string[];
  /** Of a virtual server: its members by the slugs gateways have here. */
  readonly members: ImportedServer['members'];
}

/** What there is, and what was asked for. */
export interface PlanOptions {
  readonly registered: readonly Registered[];
  /** Whether entries that are registered already are written over. */
  readonly replace: boolean;
  /** The commands the gateway may start; absent where that is not known here. */
  readonly stdioCommands?: readonly string[] | undefined;
}

/** Decides what becomes of each entry: gateways first, since virtual servers are made of them. */
export function planImport(entries: readonly ImportedEntry[], options: PlanOptions): readonly PlannedEntry[] {
  const names = new NameBook(options.registered);
  const gateways = entries
    .filter((entry) => entry.kind === 'gateway')
    .map((entry) => planGateway(entry, names, options));
  const slugs = new Map<string, string>();
  for (const { kind, slug } of options.registered) if (kind === 'gateway') slugs.set(slug, slug);
  for (const { entry, slug, status } of gateways)
    if (entry.kind === 'gateway' && !isHeldBack(status)) slugs.set(entry.slug ?? slugOf(entry.source), slug);
  const servers = entries.filter((entry) => entry.kind === 'server');
  return [...gateways, ...servers.map((entry) => planServer(entry, names, slugs, options))];
}

const isHeldBack = (status: ImportStatus): boolean => status === 'missing' || status === 'refused';

function planGateway(entry: ImportedGateway, names: NameBook, options: PlanOptions): PlannedEntry {
  const place = names.place('gateway', entry.body.name, whereOf(entry.body));
  const body = { ...entry.body, name: place.name };
  const problems = [...entry.problems, ...commandProblems(entry.body, options)];
  const view = place.registered?.view;
  const isSame = view !== undefined && saysTheSame(body, view) && (view['enabled'] !== false) === entry.enabled;
  return {
    entry: { ...entry, body },
    status: statusOf(problems, place.registered, isSame, holdsSecrets(body), options),
    ...place,
    problems,
    changes: [...entry.changes, ...place.changes],
    members: [],
  };
}

function planServer(
  entry: ImportedServer,
  names: NameBook,
  slugs: ReadonlyMap<string, string>,
  options: PlanOptions,
): PlannedEntry {
  const place = names.place('server', entry.body.name, 'server');
  const body = { ...entry.body, name: place.name };
  const absent = entry.members.filter(({ gateway }) => !/[*{]/.test(gateway) && !slugs.has(gateway));
  const problems = [
    ...entry.problems,
    ...absent.map(({ gateway }): Problem => {
      const message = `its gateway ${gateway} is neither registered nor imported`;
      return { kind: 'gateway', name: gateway, message };
    }),
  ];
  const members = entry.members.map((member) => ({ ...member, gateway: slugs.get(member.gateway) ?? member.gateway }));
  const rules = members.map(({ gateway, rule }) => ({ gateway, ...rule }));
  const isKnown = members.every(({ toolSlugs }) => toolSlugs === undefined);
  const view = place.registered?.view;
  const isSame =
    view !== undefined &&
    isKnown &&
    saysTheSame(body, view) &&
    canonicalJson(rules) === canonicalJson(rulesOf(view['members'])) &&
    (view['enabled'] !== false) === entry.enabled;
  return {
    entry: { ...entry, body },
    status: statusOf(problems, place.registered, isSame, false, options),
    ...place,
    problems,
    changes: [...entry.changes, ...place.changes],
    members,
  };
}

function statusOf(
  problems: readonly Problem[],
  registered: Registered | undefined,
  isSame: boolean,
  hasSecrets: boolean,
  { replace }: PlanOptions,
): ImportStatus {
  if (registered !== undefined && !replace) return isSame ? 'unchanged' : 'exists';
  if (problems.some(({ kind }) => kind === 'unsupported' || kind === 'invalid')) return 'refused';
  if (problems.length > 0) return 'missing';
  if (registered === undefined) return 'imported';
  // a secret may differ where everything else is the same
  return isSame && !hasSecrets ? 'unchanged' : 'replaced';
}

const holdsSecrets = (body: Fields): boolean =>
  Object.entries(body).some(
    ([name, value]) => name !== 'url' && JSON.stringify(value) !== JSON.stringify(revealed(value)),
  );

function commandProblems({ command }: Fields, { stdioCommands }: PlanOptions): readonly Problem[] {
  const [name, shown] = [plainText(command), shownText(command)];
  if (stdioCommands === undefined || name === undefined || shown === undefined || stdioCommands.includes(name))
    return [];
  const message = `the gateway may not start ${shown}: add it to POSTERN_STDIO_COMMANDS`;
  return [{ kind: 'command', name: shown, message }];
}

/** What tells an entry apart whose name says nothing: its host, or its program. */
function whereOf({ url, command }: Fields): string {
  const program = shownText(command);
  if (program !== undefined) return program.split(/[\\/]/).at(-1) ?? '';
  return URL.parse(plainText(url) ?? '')?.hostname ?? '';
}
