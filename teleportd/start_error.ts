/** Why `teleportd` does not start. */

/** A refusal to serve that the user can mend. */
export class StartError extends Error {}
