import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_NAME_CHARACTERS, publishedName } from '../../../src/catalog/names.ts';

const prefix = fc.stringMatching(/^[0-9A-Za-z_.-]{0,64}$/);
const anything = fc.oneof(fc.string({ maxLength: 200 }), fc.string({ unit: 'binary', minLength: 60, maxLength: 200 }));

test('what fits keeps its spelling', () => {
  expect(publishedName('a_', 'Echo.it-now')).toBe('a_Echo.it-now');
  const exact = 'x'.repeat(MAX_NAME_CHARACTERS);
  expect(publishedName('', exact)).toBe(exact);
  fc.assert(
    fc.property(prefix, anything, (before, name) => {
      if (before.length + name.length <= MAX_NAME_CHARACTERS) expect(publishedName(before, name)).toBe(before + name);
    }),
  );
});

test('what does not fit keeps its head, takes only letters every client takes, and is the same each time', () => {
  const long = `find_${'customer_'.repeat(10)}`;
  expect(publishedName('crm_', long)).toBe('crm_find_customer_customer_customer_customer_custom_742bd0f2127f');
  fc.assert(
    fc.property(prefix, anything, (before, name) => {
      const published = publishedName(before, name);
      expect(published).toBe(publishedName(before, name));
      if (before.length + name.length > MAX_NAME_CHARACTERS) expect(published).toMatch(/^[\w.-]{51}_[0-9a-f]{12}$/);
    }),
  );
});

test('different names stay different', () => {
  const long = fc.string({ unit: fc.constantFrom('a', 'b', ' '), minLength: 60, maxLength: 80 });
  fc.assert(
    fc.property(long, long, (one, other) => {
      if (one !== other) expect(publishedName('p_', one)).not.toBe(publishedName('p_', other));
    }),
  );
});
