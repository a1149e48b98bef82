/**
 * The promises of a link between a supervisor and a job host, as tests that run against each form of it. The files of the
 * folder `conformance/` have the tests.
 */
import { testAttachment } from "./conformance/attachment.ts";
import { testControl } from "./conformance/control.ts";
import type { HostForm } from "./conformance/fixture.ts";
import { testLogs } from "./conformance/logs.ts";
import { testRaces } from "./conformance/races.ts";
import { testRecoveries } from "./conformance/recoveries.ts";
import { testStarts } from "./conformance/starts.ts";
import { testTerminals } from "./conformance/terminals.ts";

export type { HostForm, RunningHost } from "./conformance/fixture.ts";

/** Registers all tests for a form of the link. */
export function testConformance(form: HostForm): void {
  testStarts(form);
  testAttachment(form);
  testLogs(form);
  testControl(form);
  testTerminals(form);
  testRecoveries(form);
  testRaces(form);
}
