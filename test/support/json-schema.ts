import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv';

type Schemas = Readonly<Record<string, unknown>>;

/** What is wrong with `value` by a schema of an OpenAPI document; undefined when nothing is. */
export function schemaProblem(document: unknown, name: string, value: unknown): string | undefined {
  const { components } = document as { components: { schemas: Schemas } };
  const text = JSON.stringify({ $defs: components.schemas, $ref: `#/components/schemas/${name}` });
  const schema = JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/')) as object;
  const { valid, errorMessage } = new AjvJsonSchemaValidator().getValidator(schema)(value);
  return valid ? undefined : errorMessage;
}
