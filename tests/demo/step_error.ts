/** The error of a demo step that fails. Its message is for the user. */
export class StepError extends Error {}
