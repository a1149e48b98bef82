/** The events that `teleportd host stop` reports. */

/** Receives what happens, for people and for programs. */
export interface StopReport {
  /** A sentence about progress. */
  readonly progress: (text: string) => void;
  /** A job host has ended. */
  readonly stopped: (instance: string) => void;
  /** A job host could not be stopped, or processes of jobs may be left. */
  readonly failed: (text: string) => void;
}
