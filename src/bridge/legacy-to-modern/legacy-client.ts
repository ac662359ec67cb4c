import { asFields } from '../../base/fields.ts';
import type { Fields } from '../../base/fields.ts';
import { META, MODERN_VERSION } from '../../wire/eras.ts';

/** What a modern request says about a caller of the legacy era. */
export interface LegacyClient {
  /** What the caller can be asked, in the words of the modern era. */
  readonly capabilities: Fields;
  readonly info: Fields | undefined;
  /** The last level of logging/setLevel; undefined until there was one, and then no line is wanted. */
  readonly logLevel: string | undefined;
}

/** A caller without a session: nobody can ask it anything. */
export const STATELESS_CLIENT: LegacyClient = { capabilities: {}, info: undefined, logLevel: undefined };

/** The caller behind an initialize. */
export function legacyClientOf(initialize: Fields, logLevel: string | undefined): LegacyClient {
  const { roots, ...capabilities } = withoutTasks(asFields(initialize['capabilities']) ?? {});
  return {
    // nobody is told of changed roots any more, so a server has to ask again
    capabilities: { ...capabilities, ...(roots !== undefined && { roots: {} }) },
    info: asFields(initialize['clientInfo']),
    logLevel,
  };
}

/** The members of `_meta` that a modern request carries for its sender. @see MCP 2026-07-28, basic */
export function envelopeOf({ capabilities, info, logLevel }: LegacyClient): Fields {
  return {
    [META.protocolVersion]: MODERN_VERSION,
    [META.clientCapabilities]: capabilities,
    ...(info && { [META.clientInfo]: info }),
    ...(logLevel !== undefined && { [META.logLevel]: logLevel }),
  };
}

/** What a server of the modern era can do, as an initialize tells it. */
export function legacyServerCapabilities(modern: Fields): Fields {
  return withoutTasks(modern);
}

const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks';

/** Tasks are polled in one era and pushed in the other; neither side is told that the other has them. */
function withoutTasks(declared: Fields): Fields {
  const { tasks: _, ...capabilities } = declared;
  const extensions = asFields(capabilities['extensions']);
  if (extensions === undefined || !(TASKS_EXTENSION in extensions)) return capabilities;
  const { [TASKS_EXTENSION]: __, ...others } = extensions;
  return { ...capabilities, extensions: others };
}
