/**
 * The part of the library that a job host needs. It runs jobs, and has no supervisor and no database, so that a job host
 * stays small.
 *
 * @module
 */
export * from "./worker/errors.ts";
export * from "./worker/storage_errors.ts";
export { CgroupUnavailableError } from "./worker/cgroup/delegation.ts";
export { CgroupTree, type CgroupTreeOptions } from "./worker/cgroup/tree.ts";
export { keepFromJobs } from "./worker/launch/inheritance.ts";
export { hasTags } from "./worker/process/tags.ts";
