/**
 * Lets the jobs of a test start directly, whatever started the test: a shell ignores SIGINT and SIGQUIT in what it starts
 * in the background, and a runner may leave descriptors open. Imported by tests that look at a job right after its start.
 */
import { keepFromJobs } from "../../worker/launch/inheritance.ts";

keepFromJobs({ niceness: false });
