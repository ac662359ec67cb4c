import { shownText } from '../../../../src/index.ts';
import type { ImportFile } from '../../../../src/index.ts';
import { printable } from '../gateways/print.ts';
import type { CliIo } from '../io.ts';
import type { ImportResult } from './perform.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What there is to tell of an import, done or only looked at. */
export interface ImportReport {
  readonly file: ImportFile;
  readonly results: readonly ImportResult[];
  readonly isDryRun: boolean;
}

/** Prints what became of each entry. Secrets print as what stands for them, since they are Hidden. */
export function printReport(report: ImportReport, { isJson }: { isJson: boolean }, io: CliIo): void {
  if (isJson) return io.out(JSON.stringify(asData(report)));
  for (const result of report.results) {
    io.out(headline(result, report.isDryRun));
    for (const [name, value] of linesOf(result)) io.out(`  ${name.padEnd(10)} ${printable(value)}`);
  }
  for (const { what, count, because } of report.file.leftOut)
    io.out(`not imported: ${printable(what)} (${count}): ${printable(because)}`);
  io.out(summary(report));
}

function asData({ file: { format, leftOut }, results, isDryRun }: ImportReport): object {
  return {
    format,
    dryRun: isDryRun,
    entries: results.map(({ planned, status, view, error }) => ({
      source: planned.entry.source,
      kind: planned.entry.kind,
      status,
      name: planned.name,
      slug: view?.['slug'] ?? planned.slug,
      auth: authOf(planned.entry.body),
      enabled: planned.entry.enabled,
      body: planned.entry.body,
      ...(planned.entry.kind === 'server' && { members: planned.members }),
      ...(view?.['toolCount'] !== undefined && { toolCount: view['toolCount'] }),
      problems: planned.problems,
      changes: planned.changes,
      ...(error && { error: { code: error.code, message: error.message, hint: error.hint } }),
    })),
    leftOut,
    counts: countsOf(results),
  };
}

const KINDS = { gateway: 'gateway', server: 'virtual server' } as const;

function headline({ planned: { entry, name }, status }: ImportResult, isDryRun: boolean): string {
  return `${printable(entry.source)} -> ${KINDS[entry.kind]} ${printable(name)}: ${wordOf(status, isDryRun)}`;
}

function wordOf(status: ImportResult['status'], isDryRun: boolean): string {
  const words = {
    imported: isDryRun ? 'would be imported' : 'imported',
    replaced: isDryRun ? 'would be replaced' : 'replaced',
    unchanged: 'unchanged',
    exists: 'exists, and differs: --replace changes it',
    missing: 'not imported, something is missing',
    refused: 'not imported, something is refused',
    failed: 'not imported, it failed',
  };
  return words[status];
}

type Line = readonly [name: string, value: unknown];

function linesOf({ planned, status, view, error }: ImportResult): readonly Line[] {
  const { changes, problems } = planned;
  const isHeldBack = status === 'missing' || status === 'refused';
  const rows: readonly Line[] = [
    ...becomes(planned, view),
    // of what stays as it is nothing is missing, and nothing differs from the file
    ...(status === 'unchanged' ? [] : changes).map((change): Line => ['changed', change]),
    ...(isHeldBack ? problems : []).map(({ message, kind }): Line => [nounOf(kind), message]),
    ['failed', error && `${error.message} (${error.code})`],
    ['hint', error?.hint],
  ];
  return rows.filter(([, value]) => value !== undefined && value !== '');
}

const nounOf = (kind: string): string => (kind === 'unsupported' || kind === 'invalid' ? 'refused' : 'missing');

/** What an entry is here; nothing where it is nowhere. */
function becomes({ entry, slug, members }: ImportResult['planned'], view: Fields | undefined): readonly Line[] {
  const { body } = entry;
  if (entry.kind === 'gateway' && body['url'] === undefined && body['command'] === undefined) return [];
  const command = body['command'] === undefined ? undefined : [body['command'], ...listOf(body['args'])].join(' ');
  return [
    ['slug', view?.['slug'] ?? slug],
    ['url', shownText(body['url'])],
    ['command', command],
    [
      'env',
      Object.entries((body['env'] ?? {}) as Fields)
        .map(([name, value]) => `${name} ${String(value)}`)
        .join(', '),
    ],
    ['cwd', shownText(body['cwd'])],
    ...(entry.kind === 'gateway'
      ? ([
          ['transport', view?.['transport'] ?? body['transport'] ?? 'AUTO'],
          ['prefix', JSON.stringify(view?.['prefix'] ?? body['prefix'] ?? `${slug}_`)],
          ['auth', authOf(body)],
          ['tools', view?.['toolCount']],
        ] as const)
      : members.map((member) => ['takes', takes(member)] as const)),
    ['state', entry.enabled ? undefined : 'out of service'],
  ];
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

function takes({ gateway, toolSlugs, rule }: ImportResult['planned']['members'][number]): string {
  const tools = toolSlugs ?? listOf(rule['tools']);
  return tools.length === 0 ? gateway : `${gateway}: ${tools.join(', ')}`;
}

/** How a gateway logs in, and where the secret comes from. */
function authOf(body: Fields): string {
  const type = shownText(body['authType']) ?? 'none';
  const headers = listOf(body['authHeaders']) as readonly Fields[];
  const secret = body['authToken'] ?? body['authPassword'] ?? body['authQueryParamValue'] ?? body['authHeaderValue'];
  const identity = body['clientCert'] === undefined ? '' : ', client certificate';
  if (headers.length > 0)
    return `${type}: ${headers.map(({ key, value }) => `${String(key)} ${String(value)}`).join(', ')}${identity}`;
  const name = body['authQueryParamKey'] ?? body['authHeaderKey'];
  const said = [name, secret].filter((text) => text !== undefined).map(String);
  return [type, ...said].join(' ') + identity;
}

function countsOf(results: readonly ImportResult[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { status } of results) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

function summary({ results, file, isDryRun }: ImportReport): string {
  const counts = Object.entries(countsOf(results)).map(([status, count]) => `${count} ${status}`);
  const entries = `${results.length} ${results.length === 1 ? 'entry' : 'entries'} of ${file.format}`;
  const said = counts.length === 0 ? entries : `${entries}: ${counts.join(', ')}`;
  return isDryRun ? `${said} (dry run: nothing was changed)` : said;
}
