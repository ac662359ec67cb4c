/** What the contracts cannot find in a `Runtime`, as nothing depends on it. */
export interface Subject {
  /** How often a second connection resumes the TLS 1.3 session of the first. */
  readonly resumes: 'always' | 'sometimes' | 'never';
  /** The command line that runs a file of this checkout on the runtime that runs this. */
  readonly command: (file: string) => readonly [string, ...string[]];
}
