/** One thing wrong with the settings. */
export interface ConfigProblem {
  /** The name the operator used. */
  readonly setting: string;
  readonly message: string;
}
