/** What the demo throws when a step does not do what it says; its message is for the one who watches. */
export class StepError extends Error {}
