import { GatewayError } from '../../../src/index.ts';
import { readTextFile } from '../files/file-reader.ts';

/**
 * What a file holds, read by `parse`; its errors say which file they are about.
 *
 * @throws GatewayError file_refused and what `parse` throws
 */
export async function readNamed<T>(path: string, parse: (text: string) => Promise<T> | T): Promise<T> {
  const text = await readTextFile(path);
  return named(path, () => parse(text));
}

/** What `parse` comes to; its errors say what they are about. @throws GatewayError what `parse` throws */
export async function named<T>(name: string, parse: () => Promise<T> | T): Promise<T> {
  try {
    return await parse();
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const { code, message, hint, details, cause } = error;
    const options = { ...(hint !== undefined && { hint }), ...(details && { details }), cause };
    throw new GatewayError(code, `${name}: ${message}`, options);
  }
}
