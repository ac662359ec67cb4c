import { Hidden } from './hidden.ts';
import { MASK } from '../registry/field-schema.ts';
import type { Findings } from './imported-entry.ts';

/** Where the values of variables come from; an empty text counts as none. */
export interface Variables {
  /** A variable of the environment. Asked only for names that stand in the file. */
  readonly environment: (name: string) => string | undefined;
  /** What was given for an id: by `--input`, or as the default of the file. */
  readonly input: (id: string) => string | undefined;
  /** What the file says of an input, for people. */
  readonly describeInput?: (id: string) => string | undefined;
  /** The path of a folder editors name: `workspaceFolder`, `userHome`. */
  readonly folder: (name: string) => string | undefined;
}

/** A text of a file with its variables filled in. */
export interface Filled {
  /** Undefined when a variable has no value. */
  readonly text: string | undefined;
  /** As it stands in the file. */
  readonly template: string;
  /** The variables whose values are in the text, or would be, as people write them: `$TOKEN`, `the input pat`. */
  readonly sources: readonly string[];
}

const VARIABLE = /\$\{([^{}]*)\}/g;
const FOLDERS = new Set(['workspaceFolder', 'workspaceRoot', 'userHome']);

/**
 * Fills in `${VAR}`, `${VAR:-default}`, `${env:VAR}`, `${input:id}`, `${workspaceFolder}` and `${userHome}`. Every one
 * without a value is reported once.
 */
export function fill(template: string, variables: Variables, findings: Findings): Filled {
  const sources: string[] = [];
  let isComplete = true;
  const text = template.replaceAll(VARIABLE, (_, inner: string) => {
    const { value, source, problem } = lookUp(inner, variables);
    if (source !== undefined) sources.push(source);
    if (value !== undefined) return value;
    isComplete = false;
    if (problem && !findings.problems.some(({ name }) => name === problem.name)) findings.problems.push(problem);
    return '';
  });
  return { text: isComplete ? text : undefined, template, sources };
}

function lookUp(inner: string, variables: Variables) {
  const [, kind, id = ''] = /^([a-zA-Z]+):(?!-)(.*)$/.exec(inner) ?? [];
  if (kind === 'input') return inputOf(id, variables);
  if (kind !== undefined && kind !== 'env') return missing(inner, `\${${inner}} is known to the editor only`);
  if (kind === undefined && FOLDERS.has(inner)) {
    const value = variables.folder(inner) || variables.input(inner) || undefined;
    return { value, source: `\${${inner}}`, problem: folderProblem(inner) };
  }
  const [, name = '', fallback] = /^(.*?)(?::-([^]*))?$/.exec(kind === 'env' ? id : inner) ?? [];
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return missing(inner, `\${${inner}} is no variable that is known here`);
  const found = variables.environment(name) || undefined;
  if (found !== undefined || fallback === undefined)
    return { value: found, source: `$${name}`, problem: variableProblem(name) };
  return { value: fallback };
}

function inputOf(id: string, { input, describeInput }: Variables) {
  const what = describeInput?.(id);
  const message = `the input ${id}${what ? ` (${what})` : ''} has no value: --input ${id}=… or --input-file ${id}=FILE`;
  return {
    value: input(id) || undefined,
    source: `the input ${id}`,
    problem: { kind: 'input', name: id, message } as const,
  };
}

const variableProblem = (name: string) =>
  ({ kind: 'variable', name, message: `the variable ${name} is not set` }) as const;
const folderProblem = (name: string) =>
  ({ kind: 'input', name, message: `the folder \${${name}} is not known: --input ${name}=PATH` }) as const;
const missing = (name: string, message: string) => ({
  value: undefined,
  source: undefined,
  problem: { kind: 'variable', name, message } as const,
});

/** A filled text that is not shown: `from $TOKEN`, or `*****` where the file itself holds it. */
export function hide({ text, sources }: Filled, change: (text: string) => string = (same) => same): Hidden {
  return new Hidden(change(text ?? ''), shownFrom(sources));
}

/** What stands for a secret. */
export function shownFrom(sources: readonly string[]): string {
  return sources.length === 0 ? MASK : `from ${[...new Set(sources)].join(' and ')}`;
}
