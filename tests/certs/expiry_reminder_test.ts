/** Tests of warnings about the end of certificates. */
import assert from "node:assert/strict";
import { ExpiryReminder } from "../../certs/expiry_reminder.ts";
import { expiryWarning } from "../../trust/expiry.ts";

Deno.test("expiryWarning() warns 30 days or a third of the validity before the end, and counts whole days", () => {
  const end = new Date("2026-03-31T12:00:00Z");
  const day = (days: number) => new Date(end.getTime() - days * 86_400_000);
  for (
    const [lifeDays, leftDays, wanted] of [
      [365, 30, undefined],
      [365, 29.9, "ends in 29 days, on 2026-03-31"],
      [90, 29.9, "ends in 29 days, on 2026-03-31"],
      [30, 10, undefined],
      [30, 9.9, "ends in 9 days, on 2026-03-31"],
      [1, 0.4, undefined],
      [1, 0.3, "ends in less than a day, on 2026-03-31"],
      [365, 1.5, "ends in 1 day, on 2026-03-31"],
      [365, 0, "ended on 2026-03-31"],
    ] as const
  ) assert.equal(expiryWarning({ notBefore: day(lifeDays), notAfter: end }, day(leftDays)), wanted, `${leftDays}`);
});

Deno.test("ExpiryReminder.watch() warns at once, and leaves no timer", () => {
  const told: string[] = [];
  const notBefore = new Date(Date.now() - 86_400_000 * 300);
  using reminder = new ExpiryReminder({ warn: (text) => told.push(text) });
  reminder.watch([
    { name: "this", notBefore, notAfter: new Date(Date.now() + 86_400_000 * 2.5) },
    { name: "that", notBefore, notAfter: new Date(Date.now() + 86_400_000 * 400) },
  ]);
  assert.equal(told.length, 1);
  assert.match(told[0]!, /^this ends in 2 days, on /);
});
