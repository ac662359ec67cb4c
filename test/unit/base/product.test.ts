import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PRODUCT } from '../../../src/base/product.ts';

test('the version is the package’s', () => {
  const { name, version } = JSON.parse(
    readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
  ) as typeof PRODUCT;
  expect(PRODUCT).toEqual({ name, version });
});
