/** How the gateway introduces itself to servers and clients; the version is package.json's. */
export const PRODUCT = { name: 'postern', version: '0.1.0' } as const;
