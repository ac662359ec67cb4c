import { expect, test } from 'vitest';
import { Views } from '../../../src/catalog/views.ts';
import { singleServer } from '../../../src/catalog/virtual-server.ts';
import { isHiddenNews } from '../../../src/http/mcp/hidden-news.ts';
import { RuleSet } from '../../../src/policy/rule-set.ts';
import { memberOf } from '../../support/catalog.ts';

const resources = [{ uri: 'x://shown' }, { uri: 'x://hidden' }];
const whole = singleServer({ id: 'm', prefix: '', upstream: memberOf({ id: 'm', resources }).upstream });
const view = new Views().of(
  whole,
  new RuleSet([
    { name: 'yes', allow: { servers: '*' } },
    { name: 'no', deny: { resources: 'x://hidden' } },
  ]),
);

test.each([
  ['{"method":"notifications/resources/updated","params":{"uri":"x://hidden"}}', true],
  [String.raw`{"method":"notifications\/resources\/updated","params":{"uri":"x:\/\/hidden"}}`, true],
  [String.raw`{"method":"notifications/resources/\u0075pdated","params":{"uri":"x://hidden"}}`, true],
  ['{"method":"notifications/resources/updated","params":{}}', true],
  ['{"method":"notifications/resources/updated","params":{"uri":"x://shown"}}', false],
  ['{"method":"notifications/message","params":{"data":"notifications/resources/updated"}}', false],
  ['{"result":{"updated":true}}', false],
  ['not JSON, updated', false],
  [undefined, false],
])('%s is kept back: %j', (data, expected) => {
  const [member] = view?.members ?? [];
  if (view === undefined || member === undefined) throw new Error('no view');
  expect(isHiddenNews(view, member, data)).toBe(expected);
});
