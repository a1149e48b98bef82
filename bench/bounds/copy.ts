/** Measures copies of 64 KiB at different distances of their places within a page of 4 KiB, in seconds for a gigabyte. */
const BYTES = 65_536;
const COUNT = 2_000;
const [source, target] = [new Uint8Array(2 * BYTES).fill(1).subarray(0, BYTES), new Uint8Array(2 * BYTES)];

for (const distance of [0, 1, 8, 15, 16, 64, 1_024, 4_080, 4_088]) {
  for (let count = 0; count < 50; count++) target.set(source, distance);
  const start = performance.now();
  for (let count = 0; count < COUNT; count++) target.set(source, distance);
  const seconds = (performance.now() - start) / 1_000;
  console.log(`${distance} bytes: ${(seconds / (COUNT * BYTES) * 1e9).toFixed(3)} s`);
}
