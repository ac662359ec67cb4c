import type { CliIo } from '../io.ts';

type Fields = Readonly<Record<string, unknown>>;

const isEmpty = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  value === '' ||
  (typeof value === 'object' && Object.keys(value).length === 0);

/** An answer for people: one `name: value` per line, nested by indentation, what is empty left out. */
export function printFields(fields: Fields, io: CliIo, indent = ''): void {
  for (const [name, value] of Object.entries(fields)) {
    if (isEmpty(value)) continue;
    if (typeof value !== 'object' || value === null) io.out(`${indent}${name}: ${printable(value)}`);
    else if (Array.isArray(value) && value.every((item) => typeof item !== 'object'))
      io.out(`${indent}${name}: ${value.map(printable).join(', ')}`);
    else {
      io.out(`${indent}${name}:`);
      printFields(value as Fields, io, `${indent}  `);
    }
  }
}

/** Gateways as a table. */
export function printGateways(gateways: readonly Fields[], io: CliIo): void {
  const rows = gateways.map((gateway) => {
    const { status } = (gateway['health'] ?? {}) as { status?: string };
    const state = gateway['enabled'] === false ? 'inactive' : (status ?? 'unknown');
    return [
      gateway['slug'],
      state,
      `${printable(gateway['toolCount'] ?? 0)} tools`,
      gateway['url'] ?? gateway['command'],
    ];
  });
  printTable(rows, 'no gateway is registered', io);
}

/** Rows in columns of equal width, or `empty` where there are none. */
export function printTable(rows: readonly (readonly unknown[])[], empty: string, io: CliIo): void {
  if (rows.length === 0) io.out(empty);
  const texts = rows.map((row) => row.map(printable));
  const widths = (texts[0] ?? []).map((_, column) => Math.max(...texts.map((row) => row[column]?.length ?? 0)));
  for (const row of texts)
    io.out(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
}

/** PEM and other long texts are cut after their first line; control characters do not reach the terminal. */
export function printable(value: unknown): string {
  const [first = '', ...rest] = (typeof value === 'string' ? value : JSON.stringify(value)).split('\n');
  const shown = first.replaceAll(/\p{Cc}/gu, '');
  return rest.some((line) => line !== '') ? `${shown} …` : shown;
}
