import { METRICS } from './metric-table.ts';
import type { MetricName, MetricRow } from './metric-table.ts';

/** Label values in the order of the metric's row. */
export type LabelValues = readonly string[];

/** Seconds; from a cached answer to a call that takes as long as a person waits. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;

/** Series of one metric at most; what comes after shares one whose labels all read `other`. */
const MAX_SERIES = 2000;

interface Series {
  readonly values: LabelValues;
  /** The counter, or the sum of a histogram. */
  total: number;
  count: number;
  /** Observations per bucket, not cumulated; undefined for counters. */
  readonly buckets: number[] | undefined;
}

type Gauge = () => Iterable<readonly [LabelValues, number]>;

/** Counters and histograms fed as things happen, gauges asked for when somebody looks. */
export class MetricRegistry {
  readonly #series = new Map<MetricName, Map<string, Series>>();
  readonly #gauges = new Map<MetricName, Gauge[]>();

  count(name: MetricName, values: LabelValues = [], by = 1): void {
    this.#seriesOf(name, values).total += by;
  }

  /** @param seconds one observation of a histogram */
  observe(name: MetricName, values: LabelValues, seconds: number): void {
    const series = this.#seriesOf(name, values);
    series.total += seconds;
    series.count += 1;
    const bucket = BUCKETS.findIndex((limit) => seconds <= limit);
    if (series.buckets && bucket >= 0) series.buckets[bucket] = (series.buckets[bucket] ?? 0) + 1;
  }

  /** Says where series of a gauge come from; several places may feed one gauge. */
  gauge(name: MetricName, read: Gauge): void {
    this.#gauges.set(name, [...(this.#gauges.get(name) ?? []), read]);
  }

  /** Drops every series with that value of that label, so that what comes and goes leaves nothing behind. */
  forget(label: string, value: string): void {
    for (const [name, family] of this.#series) {
      const index = labelsOf(name).indexOf(label);
      if (index < 0) continue;
      for (const [key, { values }] of family) if (values[index] === value) family.delete(key);
    }
  }

  /** Everything as text. @see https://prometheus.io/docs/instrumenting/exposition_formats/ (0.0.4) */
  render(): string {
    const lines: string[] = [];
    for (const [name, row] of Object.entries(METRICS) as readonly [MetricName, MetricRow][]) {
      lines.push(`# HELP ${name} ${row.help}`, `# TYPE ${name} ${row.type}`);
      for (const read of this.#gauges.get(name) ?? [])
        for (const [values, value] of read()) lines.push(line(name, row.labels, values, value));
      for (const series of this.#series.get(name)?.values() ?? []) lines.push(...seriesLines(name, row, series));
    }
    return `${lines.join('\n')}\n`;
  }

  #seriesOf(name: MetricName, values: LabelValues): Series {
    let family = this.#series.get(name);
    if (family === undefined) this.#series.set(name, (family = new Map()));
    const key = values.join('\0');
    const known = family.get(key);
    if (known !== undefined) return known;
    if (family.size >= MAX_SERIES && values.some((value) => value !== 'other'))
      return this.#seriesOf(
        name,
        values.map(() => 'other'),
      );
    const buckets = METRICS[name].type === 'histogram' ? BUCKETS.map(() => 0) : undefined;
    const series = { values, total: 0, count: 0, buckets };
    family.set(key, series);
    return series;
  }
}

const labelsOf = (name: MetricName): readonly string[] => METRICS[name].labels;

function seriesLines(name: string, { labels }: MetricRow, { values, total, count, buckets }: Series): string[] {
  if (buckets === undefined) return [line(name, labels, values, total)];
  let cumulated = 0;
  const bucketLines = BUCKETS.map((limit, index) => {
    cumulated += buckets[index] ?? 0;
    return line(`${name}_bucket`, [...labels, 'le'], [...values, String(limit)], cumulated);
  });
  return [
    ...bucketLines,
    line(`${name}_bucket`, [...labels, 'le'], [...values, '+Inf'], count),
    line(`${name}_sum`, labels, values, total),
    line(`${name}_count`, labels, values, count),
  ];
}

function line(name: string, labels: readonly string[], values: LabelValues, value: number): string {
  const pairs = labels.map((label, index) => `${label}="${escaped(values[index] ?? '')}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`;
}

const escaped = (value: string): string =>
  value
    .replaceAll('\\', String.raw`\\`)
    .replaceAll('"', String.raw`\"`)
    .replaceAll('\n', String.raw`\n`);
