import { isFile, isUrls } from './gateway-record.ts';

/** The paths of every file a gateway's TLS side is read from, the identity to come included; each once. */
export function namedFiles({ tls }: { readonly tls: object }): readonly string[] {
  return [...new Set(filesIn(tls))];
}

/** Whether a gateway is made of something that changes without its record. */
export function readsSources(gateway: { readonly tls: { readonly crl?: object | undefined } }): boolean {
  const { crl } = gateway.tls;
  return (crl !== undefined && isUrls(crl)) || namedFiles(gateway).length > 0;
}

/** Wherever they stand, so that a source that is added later is not forgotten here. */
function filesIn(value: object): string[] {
  if (isFile(value)) return [value.file];
  return Object.values(value).flatMap((inner: unknown) =>
    typeof inner === 'object' && inner !== null ? filesIn(inner) : [],
  );
}
