import type { InstanceState, KeyUses } from '../../../../src/index.ts';
import { printTable } from '../gateways/print.ts';
import type { CliIo } from '../io.ts';

/** A vault key, and who needs it. */
export interface KeyRow {
  readonly kid: string;
  /**
   * `primary` seals from now on, `retired` protects something or seals at some instance, `unused` neither; `missing`
   * would be needed and is not at hand, `elsewhere` is held by instances only.
   */
  readonly state: 'primary' | 'retired' | 'unused' | 'missing' | 'elsewhere';
  readonly records: number;
  readonly values: number;
  /** Names of live instances that hold it. */
  readonly heldBy: readonly string[];
  /** Names of live instances that seal with it. */
  readonly sealsAt: readonly string[];
}

/** Every key anybody knows of, those at hand first. @param held at hand, the primary first */
export function keyTable(held: readonly string[], { keys }: KeyUses, live: readonly InstanceState[]): KeyRow[] {
  const kids = new Set([...held, ...keys.map(({ kid }) => kid), ...live.flatMap(({ vaultKeys }) => vaultKeys)]);
  return [...kids].map((kid) => {
    const { records, values } = keys.find((use) => use.kid === kid) ?? { records: 0, values: 0 };
    const namesOf = (has: (kids: readonly string[]) => boolean) =>
      live.filter(({ vaultKeys }) => has(vaultKeys)).map(({ name }) => name);
    const heldBy = namesOf((all) => all.includes(kid));
    const sealsAt = namesOf(([first]) => first === kid);
    const isUsed = records + values > 0;
    const atHand = isUsed || sealsAt.length > 0 ? 'retired' : 'unused';
    const state = kid === held[0] ? 'primary' : held.includes(kid) ? atHand : isUsed ? 'missing' : 'elsewhere';
    return { kid, state, records, values, heldBy, sealsAt };
  });
}

/** For people; `live` is how many instances there are. */
export function printKeyTable(rows: readonly KeyRow[], live: number, io: CliIo): void {
  const held = ({ heldBy }: KeyRow) =>
    live === 0 ? 'no instance runs' : `held by ${heldBy.length} of ${live} instances`;
  const cells = rows.map((row) => [
    row.kid,
    row.state,
    `${row.records} records`,
    `${row.values} sealed values`,
    held(row),
  ]);
  printTable(cells, 'there is no vault key', io);
}
