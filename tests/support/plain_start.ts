/**
 * Lets the jobs of a test start directly, whatever started the test. A shell ignores SIGINT and SIGQUIT in background
 * processes, and a runner may leave descriptors open. Tests that look at a job right after its start import this file.
 */
import { keepFromJobs } from "../../worker/launch/inheritance.ts";

keepFromJobs({ niceness: false });
