/** What reads files of other programs, loaded by those who do: a gateway that serves never does. */
export const loadImport = async () => ({
  readImport: (await import('./read-import.ts')).readImport,
  planImport: (await import('./plan.ts')).planImport,
});
