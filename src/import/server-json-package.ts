import { asFields } from '../base/fields.ts';
import type { Fields } from '../base/fields.ts';
import { listOf, memberOf, textOf } from './members.ts';
import { inputOf } from './server-json-input.ts';
import type { InputContext } from './server-json-input.ts';
import { stdioFields } from './stdio-target.ts';
import type { Filled } from './variables.ts';

/** How packages of one kind are run. */
interface Runner {
  /** Used unless the package hints at one of `others`. */
  readonly command: string;
  readonly others: readonly string[];
  /** The words between the runner's own arguments and the package's. */
  words(identifier: string, version: string | undefined, env: readonly string[]): readonly string[];
  /** What the runner needs before anything else. */
  before(runtimeArguments: readonly string[], command: string): readonly string[];
}

const versioned = (separator: string) => (identifier: string, version: string | undefined) =>
  version === undefined || version === 'latest' ? [identifier] : [`${identifier}${separator}${version}`];

const RUNNERS: Readonly<Record<string, Runner>> = {
  npm: {
    command: 'npx',
    others: ['bunx', 'pnpx'],
    before: (given, command) =>
      command === 'npx' && !given.some((word) => word === '-y' || word === '--yes') ? ['-y'] : [],
    words: versioned('@'),
  },
  pypi: {
    command: 'uvx',
    others: ['pipx'],
    before: (given, command) => (command === 'pipx' && given[0] !== 'run' ? ['run'] : []),
    words: versioned('=='),
  },
  oci: {
    command: 'docker',
    others: ['podman', 'nerdctl'],
    before: (given) => (given[0] === 'run' ? [] : ['run', '-i', '--rm']),
    words: (identifier, version, env) => [
      // by name only: the value is in the environment of the command, not in its arguments
      ...env.flatMap((name) => ['-e', name]),
      version === undefined || /:[^/]*$|@sha256:/.test(identifier) ? identifier : `${identifier}:${version}`,
    ],
  },
  nuget: {
    command: 'dnx',
    others: [],
    before: () => [],
    words: (identifier, version) => [...versioned('@')(identifier, version), '--yes', '--'],
  },
};

/** The fields of a gateway for the first package that can be run and speaks over its standard streams. */
export function packageFields(packages: readonly Fields[], context: InputContext): Fields {
  const isRunnable = (one: Fields): boolean => runnerOf(one) !== undefined && speaksStdio(one);
  const chosen = packages.find(isRunnable);
  if (chosen !== undefined) return fieldsOf(chosen, context);
  const kinds = packages.map((one) => (speaksStdio(one) ? kindOf(one) : `${kindOf(one)} with a listener of its own`));
  const message = `expected a package of ${Object.keys(RUNNERS).join(', ')} that speaks stdio, met ${kinds.join(', ')}`;
  context.findings.problems.push({ kind: 'unsupported', name: 'packages', message });
  return {};
}

const kindOf = (one: Fields): string =>
  (textOf(one, 'registryType') ?? textOf(one, 'registryName') ?? 'none').toLowerCase();

function runnerOf(one: Fields): Runner | undefined {
  const kind = kindOf(one);
  return Object.hasOwn(RUNNERS, kind) ? RUNNERS[kind] : undefined;
}

/** Files before September 2025 name no transport, since there was no other. */
const speaksStdio = (one: Fields): boolean => (asFields(one['transport'])?.['type'] ?? 'stdio') === 'stdio';

function fieldsOf(one: Fields, context: InputContext): Fields {
  const runner = runnerOf(one);
  if (runner === undefined) return {};
  const hint = textOf(one, 'runtimeHint');
  const command = hint !== undefined && runner.others.includes(hint) ? hint : runner.command;
  if (hint !== undefined && hint !== command) context.findings.changes.push(`run by ${command}, not by ${hint}`);
  const env = listOf(one, 'environmentVariables').flatMap((variable): (readonly [string, Filled])[] => {
    const name = textOf(variable, 'name');
    const mayBeSet = memberOf(variable, 'isRequired') === true || memberOf(variable, 'isSecret') === true;
    const value = name && inputOf(variable, name, context, { fromEnvironment: mayBeSet });
    return name && value ? [[name, value]] : [];
  });
  const runtime = argumentsOf(listOf(one, 'runtimeArguments'), context);
  const identifier = textOf(one, 'identifier') ?? textOf(one, 'name') ?? '';
  const names = env.map(([name]) => name);
  const args = [
    ...runner
      .before(
        runtime.map(({ text }) => text ?? ''),
        command,
      )
      .map(literal),
    ...runtime,
    ...runner.words(identifier, textOf(one, 'version'), names).map(literal),
    ...argumentsOf(listOf(one, 'packageArguments'), context),
  ];
  return stdioFields({ command: literal(command), args, env }, context.findings);
}

const literal = (text: string): Filled => ({ text, template: text, sources: [] });

/** Arguments as words; optional ones without a value are left out. */
function argumentsOf(list: readonly Fields[], context: InputContext): readonly Filled[] {
  return list.flatMap((argument) => {
    const name = textOf(argument, 'name');
    const id = name ?? textOf(argument, 'valueHint') ?? 'argument';
    const value = inputOf(argument, id, context);
    if (value === undefined) {
      context.findings.changes.push(`the optional argument ${id} is left out`);
      return [];
    }
    return name === undefined ? [value] : [literal(name), value];
  });
}
