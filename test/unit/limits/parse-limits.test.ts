import { expect, test } from 'vitest';
import { parseConfig } from '../../../src/config.ts';
import { parseLimits } from '../../../src/limits/parse-limits.ts';
import { readLimits } from '../../../src/limits/short-form.ts';

test('a rule says whom and what it is about, what it counts by, and how much', () => {
  const about = { name: 'night-jobs', tools: ['find_*'], concurrency: 5 };
  const who = { subject: ['job-*', 'cron'], method: 'certificate' };
  const much = { rate: '100/minute', burst: 20 };
  expect(parseLimits([{ ...about, ...much, who, gateways: 'warehouse', per: ['tool', 'subject'] }])).toEqual([
    {
      ...about,
      who,
      gateways: ['warehouse'],
      per: ['subject', 'tool'],
      rate: { count: 100, periodMs: 60_000, burst: 20 },
    },
  ]);
});

test('the short form says the same as JSON', () => {
  const list = [
    { per: 'subject', rate: '600/minute', burst: 50 },
    { per: ['subject', 'tool'], rate: '30/minute', tools: ['drop_*', 'wipe'], gateways: ['crm'], name: 'costly' },
    { per: 'gateway', concurrency: 5 },
    { per: 'failures', rate: '5/hour' },
  ];
  const short =
    'subject=600/minute,burst=50; subject+tool=30/minute, tools=drop_*|wipe, gateways=crm, name=costly;' +
    'gateway,concurrency=5; failures=5/hour;';
  const rules = readLimits(short);
  expect(rules).toEqual(parseLimits(list));
  expect(readLimits(JSON.stringify(list))).toEqual(rules);
  expect(rules.map(({ name }) => name)).toEqual(['subject', 'costly', 'gateway', 'failures']);
  expect(readLimits(' ')).toEqual([]);
});

test.each([
  ['subject', 'limits[0]: expected a rate or a concurrency, met "neither"'],
  ['caller=5/minute', 'limits[0].per: expected subject, certificate, tool, gateway, address, failures, met "caller"'],
  ['subject=5/week', 'limits[0].rate: expected a rate such as 100/minute (second, minute, hour or day), met "5/week"'],
  ['subject=0/minute', 'limits[0].rate: expected a whole number from 1 to 1000000, met 0'],
  ['subject=5/constructor', 'limits[0].rate: expected a rate such as'],
  ['subject=5/minute,burst=many', 'limits[0].burst: expected a whole number from 1 to 1000000, met "many"'],
  ['subject,burst=5,concurrency=5', 'limits[0].burst: expected a rate beside it, met "none"'],
  ['subject=5/minute,brust=5', 'limits[0].brust: expected one of name, who, gateways, tools, per, rate, burst'],
  ['subject=5/minute; subject=6/hour', 'limits[1].name: expected a name of its own, met "subject"'],
  ['subject=5/minute,name=A "b"', 'limits[0].name: expected up to 64 lower-case letters, digits, - and _'],
  ['subject=5/minute,tools=', 'limits[0].tools: expected a text or a list of texts'],
  ['failures+subject=5/minute', 'limits[0]: expected failures alone with a rate'],
  ['failures=5/minute,concurrency=1', 'limits[0]: expected failures alone with a rate'],
  ['failures=5/minute;failures=6/minute,name=more', 'limits: expected one rule per failures'],
  ['[{"per":"subject"', 'limits: expected a list in JSON'],
  ['[7]', 'limits[0]: expected a rule, met 7'],
  ['[{"per":[],"rate":"1/day"}]', 'limits[0].per: expected a text or a list of texts, met []'],
  ['[{"per":"subject","rate":"1/day","who":{"sub":"x"}}]', 'limits[0].who.sub is not one of subject, role, method'],
  ['[{"per":"subject","rate":"1/day","who":"x"}]', 'limits[0].who must be an object'],
  [JSON.stringify(Array.from({ length: 33 }, () => 1)), 'limits: expected at most 32 rules, met 33'],
])('%s is refused, and the member is named', (text, message) => {
  expect(() => readLimits(text)).toThrow(expect.objectContaining({ code: 'request_invalid' }));
  expect(() => readLimits(text)).toThrow(message);
  expect(() => parseConfig({ environment: { POSTERN_LIMITS: text } })).toThrow(
    'POSTERN_LIMITS: expected limits that can',
  );
});

test('what is no list is no document', () => {
  expect(() => parseLimits({ rules: [] })).toThrow('limits: expected a list of rules');
});

test('in postern.yaml rules may be a list', () => {
  const { values } = parseConfig({ file: { limits: ['subject=5/minute', 'address=6/minute,burst=2'] } });
  expect(readLimits(values.limits ?? '').map(({ name }) => name)).toEqual(['subject', 'address']);
});
