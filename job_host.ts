/**
 * The part of the library that a job host needs. It runs jobs, and has no supervisor and no database, so that a job host
 * stays small.
 *
 * @module
 */
export * from "./worker/errors.ts";
export * from "./worker/storage_errors.ts";
export { CgroupUnavailableError } from "./worker/cgroup/delegation.ts";
export { CgroupTree, type CgroupTreeOptions, makeRoomForJobHost } from "./worker/cgroup/tree.ts";
export { JobHost } from "./worker/host/job_host.ts";
export type * from "./worker/host/link.ts";
export { dialGateway } from "./worker/host/node/dial_loop.ts";
export { NodeJobHost } from "./worker/host/node/node_host.ts";
export { isMarkGone, processMark } from "./worker/host/node/process_mark.ts";
export type { ByteStream } from "./worker/host/socket/message_connection.ts";
export { connectHost, HostConnectError } from "./worker/host/socket/connect_host.ts";
export { serveHost } from "./worker/host/socket/serve_host.ts";
export { socketPath } from "./worker/host/socket/socket_files.ts";
export { SessionStarter } from "./worker/launch/session_starter.ts";
export { findUser } from "./worker/launch/passwd.ts";
export { keepFromJobs } from "./worker/launch/inheritance.ts";
export { hasTags } from "./worker/process/tags.ts";
